/** An object of S3 as text. The SDK's client is loaded with the first one: most functions read none. */
export async function readObject(bucket: string, key: string): Promise<string> {
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  // One layer tries again: Lambda, with the event.
  const client = new S3Client({ maxAttempts: 1 })
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return (await Body?.transformToString()) ?? ''
  } finally {
    client.destroy()
  }
}
