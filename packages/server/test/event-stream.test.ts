import type { Operations } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { expectSchema } from './support/checked-answers.ts'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'
import { notice, subscription } from './support/fixtures.ts'
import { memoryLogger } from './support/memory-logger.ts'
import { sseReader } from './support/sse-reader.ts'

type Watch = Operations['watch']

async function open(watch: Watch, options: Parameters<typeof client>[0] = {}) {
  const { send } = client({ ...options, operations: fakeOperations({ watch }) })
  const response = await send('GET', '/v1/events')
  return { send, response, reader: sseReader(response.body as ReadableStream<Uint8Array>) }
}

/** Ends with its signal, and tells. */
function untilAborted() {
  let abortedSeen: () => void = () => {}
  const aborted = new Promise<void>((resolve) => {
    abortedSeen = resolve
  })
  const watch: Watch = async function* (signal) {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    abortedSeen()
  }
  return { watch, aborted }
}

describe('server-sent events', () => {
  test('snapshots and notices, with counting ids, until the source ends', async () => {
    const { response, reader } = await open(async function* () {
      yield { type: 'subscriptions', data: [subscription()] }
      yield { type: 'notice', data: notice }
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await reader.next()).toBe('retry: 2000')
    const frames = [await reader.next(), await reader.next()].map((frame) => frame?.split('\n'))
    expect(frames.map((frame) => frame?.slice(0, 2))).toEqual([
      ['id: 1', 'event: subscriptions'],
      ['id: 2', 'event: notice'],
    ])
    expectSchema('Subscription', JSON.parse(frames[0]?.[2]?.slice('data: '.length) as string)[0])
    expectSchema('Notice', JSON.parse(frames[1]?.[2]?.slice('data: '.length) as string))
    expect(await reader.next()).toBeUndefined()
  })

  test('a quiet stream carries heartbeat comments', async () => {
    const { watch } = untilAborted()
    const { reader } = await open(watch, { limits: { heartbeatMs: 5 } })
    await reader.next()
    expect(await reader.next()).toBe(': heartbeat')
    expect(await reader.next()).toBe(': heartbeat')
    await reader.cancel()
  })

  test('the source is asked only as fast as the client reads (I6)', async () => {
    let produced = 0
    const { reader } = await open(async function* () {
      for (;;) {
        produced += 1
        yield { type: 'notice', data: notice }
      }
    })
    for (let read = 0; read < 10; read += 1) await reader.next()
    expect(produced).toBeLessThan(20)
    await reader.cancel()
  })

  test('a client that leaves ends the source', async () => {
    const { watch, aborted } = untilAborted()
    const { reader } = await open(watch)
    await reader.next()
    await reader.cancel()
    await aborted
  })

  test('a stopping server ends the stream and the source', async () => {
    const stopping = new AbortController()
    const { watch, aborted } = untilAborted()
    const { reader } = await open(watch, { stopping: stopping.signal })
    await reader.next()
    stopping.abort()
    expect(await reader.next()).toBeUndefined()
    await aborted
  })

  test('a client that reads nothing loses its stream after some heartbeats (I6)', async () => {
    const { watch, aborted } = untilAborted()
    await open(watch, { limits: { heartbeatMs: 5, maxStalledHeartbeats: 2 } })
    await aborted
  })

  test('a source that throws ends the stream; the log has it', async () => {
    const { logger, lines } = memoryLogger()
    const { reader } = await open(
      // biome-ignore lint/correctness/useYield: fails at once
      async function* () {
        throw new Error('inside')
      },
      { logger },
    )
    await reader.next()
    expect(await reader.next()).toBeUndefined()
    expect(lines.some((line) => line.level === 'error')).toBe(true)
  })

  test('the number of streams is bounded; one that ends makes room', async () => {
    const { watch } = untilAborted()
    const { send, reader } = await open(watch, { limits: { maxEventStreams: 1 } })
    const refused = await send('GET', '/v1/events')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    await reader.cancel()
    const again = await send('GET', '/v1/events')
    expect(again.status).toBe(200)
    await again.body?.cancel()
  })

  test('HEAD takes no place', async () => {
    const { watch } = untilAborted()
    const { send } = client({ operations: fakeOperations({ watch }), limits: { maxEventStreams: 1 } })
    for (let round = 0; round < 3; round += 1) expect((await send('HEAD', '/v1/events')).status).toBe(200)
  })
})
