import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { BlobInfo, Engine } from '@eddy/core'
import { systemClock } from '@eddy/embedded'
import { SimWorld } from '@eddy/testing'
import { blobsContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { S3Blobs, s3Client } from '../../src/s3/index.ts'
import { type Emulator, startFauxqs } from '../support/emulators.ts'

const MIB = 1_024 * 1_024
let emulator: Emulator
let client: S3Client
let buckets = 0

beforeAll(async () => {
  emulator = await startFauxqs()
  client = s3Client({
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
})

afterAll(async () => {
  client?.destroy()
  await emulator?.stop()
})

/** S3 lists keys in the order of their UTF-8 bytes (ListObjectsV2, general purpose buckets). */
const departures = {
  'blobs are listed in key order, by prefix':
    'fauxqs sorts by the rules of a language, capitals beside small letters',
}
blobsContract('S3, on fauxqs', () => fixture(), { departures })
blobsContract('S3 with a prefix, on fauxqs', () => fixture('orders/prod'), { departures })

describe('Blobs on S3, on fauxqs', () => {
  it('a stream of 20 MiB in parts, and one that breaks off leaves no part', async () => {
    const { blobs, bucket } = await newBucket()
    expect(await blobs.put('big', mebibytes(20))).toEqual({ key: 'big', bytes: 20 * MIB })
    let bytes = 0
    for await (const chunk of (await blobs.get('big')) ?? []) {
      for (const byte of chunk) {
        if (byte !== Math.floor(bytes / MIB)) throw new Error(`byte ${bytes} is ${byte}`)
        bytes += 1
      }
    }
    expect(bytes).toBe(20 * MIB)

    await expect(blobs.put('half', mebibytes(20, 'the source broke'))).rejects.toThrow('the source broke')
    expect(await blobs.get('half')).toBeUndefined()
    const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    expect(uploads).toEqual([])
  })

  it('more blobs than a page of the service holds are listed, in order', async () => {
    const { blobs } = await newBucket()
    const keys = Array.from({ length: 1_203 }, (_, number) => `many/${String(number).padStart(5, '0')}`)
    for (let from = 0; from < keys.length; from += 100)
      await Promise.all(keys.slice(from, from + 100).map((key) => blobs.put(key, Buffer.from(key))))
    const listed: BlobInfo[] = []
    for await (const info of blobs.list('many/')) listed.push(info)
    expect(listed.map(({ key }) => key)).toEqual(keys)
  })

  it('applications with prefixes share a bucket without seeing each other', async () => {
    const { bucket } = await newBucket()
    const [one, other] = ['one', 'other'].map(
      (prefix) => new S3Blobs({ client, bucket, prefix, clock: systemClock }),
    ) as [S3Blobs, S3Blobs]
    await one.put('k', Buffer.from('1'))
    expect(await other.get('k')).toBeUndefined()
    await other.delete('k')
    expect(await one.get('k')).toBeDefined()
  })
})

async function newBucket(): Promise<{ readonly blobs: S3Blobs; readonly bucket: string }> {
  const bucket = `payloads-${++buckets}`
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return { bucket, blobs: new S3Blobs({ client, bucket, clock: systemClock }) }
}

async function fixture(prefix?: string) {
  const { bucket } = await newBucket()
  // The other ports of this engine are those of the simulation: only the blobs are under test.
  const world = new SimWorld({ seed: 1 })
  const open = (): Engine => {
    const blobs = new S3Blobs({ client, bucket, clock: systemClock, ...(prefix !== undefined && { prefix }) })
    return { ...world.boot(), blobs, clock: systemClock }
  }
  return {
    engine: open(),
    advance: (ms: number) => sleep(ms),
    reopen: async () => open(),
    close: async () => {},
  }
}

async function* mebibytes(count: number, ends?: string): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield new Uint8Array(MIB).fill(index)
  if (ends !== undefined) throw new Error(ends)
}
