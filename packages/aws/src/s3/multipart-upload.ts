import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { InvalidOptionError } from '@eddy/core'
import type { ObjectRequests } from './object-requests.ts'
import { isMissing } from './s3-errors.ts'

/** S3: 5 MiB at least but for the last part, and 10,000 parts at most. So streams hold up to 78 GiB. */
const PART_BYTES = 8 * 1_024 * 1_024
const MAX_PARTS = 10_000
/** Of one stream: with the part that fills up, 40 MiB at most are in memory (I6). */
const PARTS_UNDER_WAY = 4

interface Upload {
  readonly requests: ObjectRequests
  readonly key: string
  readonly id: string
}

/**
 * Puts a stream: in one request where it is short, else in parts. The object is there once the last request is through;
 * what breaks off before, the source above all, leaves what was there and takes its parts away.
 *
 * @returns bytes
 */
export async function putStream(
  requests: ObjectRequests,
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<number> {
  const parts = partsOf(content)
  try {
    const first = await parts.next()
    const body = first.done === true ? new Uint8Array(0) : first.value
    if (body.length < PART_BYTES) return await putWhole(requests, key, body)
    return await putParts(requests, key, body, parts)
  } finally {
    // A source that is not read to its end, since the upload did not begin, is told so: it may be an open file.
    await parts.return(undefined)
  }
}

async function putWhole(requests: ObjectRequests, key: string, body: Uint8Array): Promise<number> {
  await requests.persistently('PutObject', (client) =>
    client.send(new PutObjectCommand({ Bucket: requests.bucket, Key: key, Body: body })),
  )
  return body.length
}

async function putParts(
  requests: ObjectRequests,
  key: string,
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): Promise<number> {
  const { UploadId: id } = await requests.persistently('CreateMultipartUpload', (client) =>
    client.send(
      new CreateMultipartUploadCommand({ Bucket: requests.bucket, Key: key, ChecksumAlgorithm: 'CRC32' }),
    ),
  )
  const upload = { requests, key, id: id as string }
  try {
    const { done, bytes } = await sendParts(upload, first, rest)
    await complete(upload, done)
    return bytes
  } catch (error) {
    await abort(upload)
    throw error
  }
}

async function sendParts(
  upload: Upload,
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): Promise<{ readonly done: readonly CompletedPart[]; readonly bytes: number }> {
  const done: CompletedPart[] = []
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let bytes = 0
  const begin = (part: Uint8Array): void => {
    const number = done.push({}) // keeps its place
    bytes += part.length
    const sent = sendPart(upload, number, part).then(
      (completed) => {
        done[number - 1] = completed
      },
      (error: unknown) => {
        failure ??= { error }
      },
    )
    underWay.add(sent)
    void sent.then(() => underWay.delete(sent))
  }
  try {
    begin(first)
    for await (const part of rest) {
      if (done.length === MAX_PARTS)
        throw new InvalidOptionError('content', `at most ${MAX_PARTS * PART_BYTES} bytes`, 'more')
      begin(part)
      if (underWay.size === PARTS_UNDER_WAY) await Promise.race(underWay)
      if (failure !== undefined) break
    }
  } finally {
    // A part that comes after the abort would stay.
    await Promise.all(underWay)
  }
  if (failure !== undefined) throw failure.error
  return { done, bytes }
}

async function sendPart(
  { requests, key, id }: Upload,
  number: number,
  body: Uint8Array,
): Promise<CompletedPart> {
  const { ETag, ChecksumCRC32 } = await requests.persistently('UploadPart', (client) =>
    client.send(
      new UploadPartCommand({
        Bucket: requests.bucket,
        Key: key,
        UploadId: id,
        PartNumber: number,
        Body: body,
        ChecksumAlgorithm: 'CRC32',
      }),
    ),
  )
  return {
    PartNumber: number,
    ...(ETag !== undefined && { ETag }),
    ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }),
  }
}

async function complete({ requests, key, id }: Upload, parts: readonly CompletedPart[]): Promise<void> {
  await requests.persistently('CompleteMultipartUpload', async (client, tries) => {
    try {
      await client.send(
        new CompleteMultipartUploadCommand({
          Bucket: requests.bucket,
          Key: key,
          UploadId: id,
          MultipartUpload: { Parts: [...parts] },
        }),
      )
    } catch (error) {
      // Nobody else ends this upload: the try before went through, and its answer was lost.
      if (tries === 1 || !isMissing(error)) throw error
    }
  })
}

/** Parts that stay cost storage until the bucket's own rule takes them away; the first error is the one to tell. */
async function abort({ requests, key, id }: Upload): Promise<void> {
  await requests
    .persistently('AbortMultipartUpload', (client) =>
      client.send(new AbortMultipartUploadCommand({ Bucket: requests.bucket, Key: key, UploadId: id })),
    )
    .catch(() => {})
}

/** The content in parts of 8 MiB; the last one is what is left, never empty. */
async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(0)
  let filled = 0
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      if (part.length - filled === 0) part = grown(part, filled, chunk.length - at)
      const taken = chunk.subarray(at, at + part.length - filled)
      part.set(taken, filled)
      filled += taken.length
      at += taken.length
      if (filled < PART_BYTES) continue
      yield part
      part = new Uint8Array(0)
      filled = 0
    }
  }
  if (filled > 0) yield part.subarray(0, filled)
}

/** Room for at least one byte more: short streams take little memory. */
function grown(part: Uint8Array, filled: number, more: number): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(Math.min(PART_BYTES, Math.max(filled * 2, filled + more, 65_536)))
  room.set(part.subarray(0, filled))
  return room
}
