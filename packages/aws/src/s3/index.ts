export { S3Blobs, type S3BlobsOptions } from './s3-blobs.ts'
export { type S3ClientOptions, s3Client } from './s3-client.ts'
export { S3RefusedError } from './s3-errors.ts'
