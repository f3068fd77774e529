import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Clock,
  InvalidOptionError,
  type Logger,
  logSink,
  type Notice,
  Notifier,
  NotifyError,
  webhookSink,
} from '../../src/index.ts'

function notice(id: string): Notice {
  return { kind: 'dead-letter', subscription: 'billing', id, key: 'k', reason: 'x', atMs: 1 }
}

function collectingLogger(): Logger & { readonly lines: { fields: unknown; message: string }[] } {
  const lines: { fields: unknown; message: string }[] = []
  const add = (fields: unknown, message: string) => void lines.push({ fields, message })
  return { lines, debug: add, info: add, warn: add, error: add }
}

/** Sleeps end when the test says so, or with their signal. */
function handClock(): Clock & { wakeAll(): void; readonly sleeping: number } {
  const sleepers = new Set<() => void>()
  return {
    now: () => 0,
    monotonicMs: () => 0,
    random: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(wake)
          resolve()
        }
        sleepers.add(wake)
        signal?.addEventListener('abort', wake, { once: true })
      }),
    wakeAll: () => {
      for (const wake of [...sleepers]) wake()
    },
    get sleeping() {
      return sleepers.size
    },
  }
}

describe('Notifier', () => {
  test('hands every notice to every sink, in order; one that fails disturbs no other (I4)', async () => {
    const seen: string[] = []
    const logger = collectingLogger()
    const clock = handClock()
    const sinks = [
      { name: 'good', notify: async (each: Notice) => void seen.push((each as { id: string }).id) },
      {
        name: 'throws',
        notify: () => {
          throw new Error('down')
        },
      },
      { name: 'rejects', notify: () => Promise.reject(new Error('down')) },
    ]
    const notifier = new Notifier({ sinks, clock, logger })
    for (const id of ['1', '2', '3']) notifier.notify(notice(id))
    await notifier.drain(1_000)
    expect(seen).toEqual(['1', '2', '3'])
    expect(notifier.stats().map(({ delivered, failed }) => [delivered, failed])).toEqual([
      [3, 0],
      [0, 3],
      [0, 3],
    ])
    expect(logger.lines.filter(({ message }) => message === 'notice not delivered').length).toBe(6)
    expect(clock.sleeping).toBe(0)
  })

  test('over the bound the oldest is given up, counted and logged (I6, I9)', async () => {
    const seen: string[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = {
      name: 'slow',
      notify: async (each: Notice) => {
        await gate
        seen.push((each as { id: string }).id)
      },
    }
    const logger = collectingLogger()
    const notifier = new Notifier({ sinks: [slow], clock: handClock(), logger, maxQueued: 2 })
    for (const id of ['1', '2', '3', '4', '5']) notifier.notify(notice(id))
    expect(notifier.stats()).toMatchObject([{ dropped: 2, queued: 2 }])
    release()
    await notifier.drain(1_000)
    expect(seen).toEqual(['1', '4', '5'])
    expect(logger.lines.length).toBe(2)
  })

  test('a sink that never answers counts as failed after its time, and the next notice has its turn', async () => {
    const clock = handClock()
    const logger = collectingLogger()
    const seen: Notice[] = []
    const silent = {
      name: 'silent',
      notify: (each: Notice) => {
        seen.push(each)
        return new Promise<void>(() => {})
      },
    }
    const notifier = new Notifier({ sinks: [silent], clock, logger })
    notifier.notify(notice('1'))
    notifier.notify(notice('2'))
    while (notifier.stats()[0]?.failed !== 2) {
      clock.wakeAll()
      await Promise.resolve()
    }
    expect(seen.length).toBe(2)
  })

  test('draining ends with its time', async () => {
    const clock = handClock()
    const never = { name: 'never', notify: () => new Promise<void>(() => {}) }
    const notifier = new Notifier({ sinks: [never], clock, logger: collectingLogger(), sinkTimeoutMs: 1e9 })
    notifier.notify(notice('1'))
    const drained = notifier.drain(5)
    clock.wakeAll()
    await drained
    expect(notifier.stats()[0]?.delivered).toBe(0)
  })
})

describe('logSink', () => {
  test('writes a notice with its kind', async () => {
    const logger = collectingLogger()
    await logSink(logger).notify(notice('1'))
    expect(logger.lines).toEqual([{ fields: { notice: notice('1') }, message: 'notice: dead-letter' }])
  })
})

describe('webhookSink', () => {
  const closers: (() => void)[] = []
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })

  /** A server on loopback that answers with these statuses, then 200; 0 breaks the connection. */
  async function receiver(...statuses: number[]) {
    const requests: { headers: Record<string, unknown>; body: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        requests.push({ headers: request.headers, body })
        const status = statuses.shift() ?? 200
        if (status === 0) request.socket.destroy()
        else response.writeHead(status).end('answer')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}/hook?token=s3cret`, requests }
  }

  test('posts the notice as JSON with the headers it was given', async () => {
    const { url, requests } = await receiver()
    await webhookSink({ url, headers: { authorization: 'Bearer x' } }).notify(notice('1'))
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(notice('1'))
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer x',
    })
  })

  test('tries three times, waiting longer each time', async () => {
    const { url, requests } = await receiver(500, 0)
    const waits: number[] = []
    await webhookSink({ url, wait: async (delayMs) => void waits.push(delayMs) }).notify(notice('1'))
    expect([requests.length, waits]).toEqual([3, [500, 1_000]])
  })

  test('after three failures it says so, without the secrets of its URL and headers', async () => {
    const { url } = await receiver(500, 502, 503)
    const sink = webhookSink({ url, headers: { authorization: 'Bearer hidden' }, wait: async () => {} })
    const error = await Promise.resolve(sink.notify(notice('1'))).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NotifyError)
    expect(String(error)).toContain('status 503')
    expect(JSON.stringify([String(error), (error as NotifyError).details])).not.toMatch(
      /s3cret|hidden|\/hook/,
    )
  })

  test('a refusal that a repetition cannot change is not repeated', async () => {
    const { url, requests } = await receiver(404)
    await expect(webhookSink({ url, wait: async () => {} }).notify(notice('1'))).rejects.toThrow('status 404')
    expect(requests.length).toBe(1)
  })

  test('a receiver that does not answer in time', async () => {
    const fetch = (_url: unknown, init?: { signal?: AbortSignal | null }) =>
      new Promise<never>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    const sink = webhookSink({
      url: 'http://127.0.0.1:9/',
      timeoutMs: 1,
      fetch: fetch as never,
      wait: async () => {},
    })
    await expect(sink.notify(notice('1'))).rejects.toThrow('no answer within 1 ms')
  })

  test('waits between tries in real time unless told otherwise', async () => {
    const { url, requests } = await receiver(503)
    await webhookSink({ url }).notify(notice('1'))
    expect(requests.length).toBe(2)
  })

  test.each([
    ['webhookSink().url', { url: 'ftp://example.com/s3cret' }],
    ['webhookSink().url', { url: 's3cret' }],
    ['webhookSink().url', {}],
    ['webhookSink().timeoutMs', { url: 'http://127.0.0.1/', timeoutMs: 0 }],
    ['webhookSink().retries', { url: 'http://127.0.0.1/', retries: 5 }],
  ])('names %s when it is wrong, and never the URL', (option, options) => {
    const make = () => webhookSink(options as never)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(expect.objectContaining({ details: expect.objectContaining({ option }) }))
    expect(make).not.toThrow(/s3cret/)
  })
})
