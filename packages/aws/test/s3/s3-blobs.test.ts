import { type Clock, StorageError } from '@eddy/core'
import { systemClock } from '@eddy/embedded'
import { describe, expect, it } from 'vitest'
import { S3Blobs, S3RefusedError } from '../../src/s3/index.ts'
import {
  type ObjectAnswer,
  type ObjectRequest,
  s3Problem,
  startObjectService,
} from '../support/object-service.ts'

const MIB = 1_024 * 1_024
const OK: ObjectAnswer = { status: 200 }
const UPLOAD: ObjectAnswer = {
  status: 200,
  body: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
}
const PART: ObjectAnswer = { status: 200, headers: { etag: '"part"' } }
const COMPLETED: ObjectAnswer = {
  status: 200,
  body: '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>',
}

describe('Blobs on S3', () => {
  it('a stream of several parts is there with its last request; each part is asked for until it is through', async () => {
    const asked = new Map<string, number>()
    const { blobs, operations, close } = await open((request) => {
      const times = (asked.get(request.operation) ?? 0) + 1
      asked.set(request.operation, times)
      if (request.operation === 'UploadPart 2' && times < 3) return s3Problem(503, 'SlowDown')
      return multipart(request)
    })
    const { bytes } = await blobs.put('big', pieces(20))
    expect(bytes).toBe(20 * MIB)
    expect(operations.toSorted()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'UploadPart 1',
      'UploadPart 2',
      'UploadPart 2',
      'UploadPart 2',
      'UploadPart 3',
    ])
    expect(operations.at(-1)).toBe('CompleteMultipartUpload')
    await close()
  })

  it('an answer to the last request that is lost is asked for again, and a finished upload counts as done', async () => {
    let completions = 0
    const { blobs, operations, close } = await open((request) => {
      if (request.operation !== 'CompleteMultipartUpload') return multipart(request)
      completions += 1
      return completions === 1 ? 'reset' : s3Problem(404, 'NoSuchUpload')
    })
    expect(await blobs.put('big', pieces(9))).toEqual({ key: 'big', bytes: 9 * MIB })
    expect(operations.slice(-2)).toEqual(['CompleteMultipartUpload', 'CompleteMultipartUpload'])
    await close()
  })

  it('a stream that breaks off takes its parts away, and its error is told', async () => {
    const { blobs, operations, close } = await open(multipart)
    await expect(blobs.put('big', pieces(20, 'the source broke'))).rejects.toThrow('the source broke')
    expect(operations.at(-1)).toBe('AbortMultipartUpload')
    expect(operations).not.toContain('CompleteMultipartUpload')
    await close()
  })

  it('a part that is refused for good ends the upload without the rest of the source', async () => {
    let read = 0
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (; read < 400; read += 1) yield new Uint8Array(MIB)
    }
    const { blobs, operations, close } = await open((request) =>
      request.operation.startsWith('UploadPart') ? s3Problem(403, 'AccessDenied') : multipart(request),
    )
    await expect(blobs.put('big', source())).rejects.toThrow(S3RefusedError)
    expect(operations.at(-1)).toBe('AbortMultipartUpload')
    expect(read).toBeLessThan(100)
    await close()
  })

  it('an upload that does not begin ends its source, which may be an open file', async () => {
    let hasEnded = false
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(20)
      } finally {
        hasEnded = true
      }
    }
    const { blobs, close } = await open(() => s3Problem(403, 'AccessDenied'))
    await expect(blobs.put('big', source())).rejects.toThrow(S3RefusedError)
    expect(hasEnded).toBe(true)
    await close()
  })

  it('a put of bytes is sent once: whoever asked may ask again', async () => {
    const { blobs, operations, close } = await open(() => s3Problem(503, 'SlowDown'))
    const error = await blobs.put('a', new Uint8Array(3)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StorageError)
    expect(operations).toEqual(['PUT object'])
    await close()
  })

  it('a connection that breaks while a content is read: the rest of that very content is asked for', async () => {
    const content = 'abcdefghij'.repeat(10_000)
    const ranges: (string | undefined)[] = []
    const { blobs, close } = await open(({ headers }) => {
      ranges.push(headers.range)
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
      expect(headers['if-match']).toBe(from === 0 ? undefined : '"v1"')
      const rest = content.slice(from)
      return {
        status: from === 0 ? 200 : 206,
        body: rest,
        headers: { etag: '"v1"' },
        ...(ranges.length < 4 && { cutAfterBytes: 30_000 }),
      }
    })
    expect(await read(blobs, 'a')).toBe(content)
    expect(ranges).toEqual([undefined, 'bytes=30000-', 'bytes=60000-', 'bytes=90000-'])
    await close()
  })

  it('a content that is replaced while its connection is broken is no mixture of two', async () => {
    const { blobs, close } = await open(({ headers }) =>
      headers.range === undefined
        ? { status: 200, body: 'a'.repeat(100_000), headers: { etag: '"v1"' }, cutAfterBytes: 50_000 }
        : s3Problem(412, 'PreconditionFailed'),
    )
    await expect(read(blobs, 'a')).rejects.toThrow('blob "a" was replaced while it was read')
    await close()
  })

  it.each([
    ['NoSuchBucket', 404, 'Create the bucket'],
    ['PermanentRedirect', 301, 'Set AWS_REGION'],
    ['AccessDenied', 403, 'AccessDenied'],
  ])('%s is told with the bucket, and is no "there is none"', async (code, status, words) => {
    const { blobs, close } = await open(() => s3Problem(status, code))
    const error = await blobs.get('a').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'EDDY_S3_REFUSED', retryable: false })
    expect(String(error)).toMatch(/GetObject on bucket "payloads"/)
    expect(String(error)).toContain(words)
    await close()
  })
})

const withoutWaits: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs(),
  random: () => 0.5,
  sleep: async () => {},
}

async function open(answer: (request: ObjectRequest) => ObjectAnswer | 'reset') {
  const { client, operations, close } = await startObjectService(answer)
  return { blobs: new S3Blobs({ client, bucket: 'payloads', clock: withoutWaits }), operations, close }
}

function multipart({ operation }: ObjectRequest): ObjectAnswer {
  if (operation === 'CreateMultipartUpload') return UPLOAD
  if (operation === 'CompleteMultipartUpload') return COMPLETED
  return operation.startsWith('UploadPart') ? PART : OK
}

/** MiB by MiB, in pieces that are no whole part. */
async function* pieces(mebibytes: number, ends?: string): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < mebibytes; piece += 1) yield new Uint8Array(MIB).fill(piece)
  if (ends !== undefined) throw new Error(ends)
}

async function read(blobs: S3Blobs, key: string): Promise<string> {
  let text = ''
  for await (const chunk of (await blobs.get(key)) ?? []) text += Buffer.from(chunk).toString()
  return text
}
