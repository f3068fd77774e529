import { embeddedMetrics, jsonLogger, withSpans } from '@eddy/aws/lambda'
import { METRIC_NAMES } from '@eddy/aws/resources'
import {
  decodeEvent,
  defineApp,
  encodeEvent,
  failed,
  type HandlerContext,
  stream,
  subscribe,
  succeeded,
} from '@eddy/core'
import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { functionLogger } from '../../src/lambda/function-logger.ts'
import { publishMetrics } from '../../src/lambda/function-metrics.ts'
import { openWorld } from './support/open-world.ts'

const EVENTS = stream('events', { shards: 1 })

/** What is written to the standard outputs meanwhile, line by line. */
async function linesOf(write: () => Promise<void>): Promise<readonly Record<string, unknown>[]> {
  const lines: string[] = []
  const outputs = [process.stdout, process.stderr]
  const originals = outputs.map((output) => output.write)
  const collect = ((chunk: string) => {
    lines.push(String(chunk))
    return true
  }) as typeof process.stdout.write
  for (const output of outputs) output.write = collect
  try {
    await write()
  } finally {
    for (const [index, output] of outputs.entries())
      output.write = originals[index] as typeof process.stdout.write
  }
  const written = lines.join('').split('\n')
  return written.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
}

describe('Logs of functions', () => {
  it('are lines of JSON, from a level on', () => {
    const lines: string[] = []
    const logger = jsonLogger({ POWERTOOLS_LOG_LEVEL: 'WARN', EDDY_NAME: 'shop' }, (line) => lines.push(line))
    logger.info({ a: 1 }, 'not this')
    logger.warn({ subscription: 'charge', level: 'mine' }, 'a batch is slow')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        subscription: 'charge',
        level: 'WARN',
        message: 'a batch is slow',
        timestamp: expect.any(String),
        service: 'shop',
      },
    ])
  })

  it("go through Powertools' logger where it is installed", async () => {
    const lines = await linesOf(async () => {
      const logger = await functionLogger({})
      logger.warn({ subscription: 'charge' }, 'a batch is slow')
    })
    expect(lines).toEqual([
      expect.objectContaining({ level: 'WARN', message: 'a batch is slow', subscription: 'charge' }),
    ])
  })
})

describe('Metrics of functions', () => {
  const expected = {
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: 'Eddy',
          Dimensions: [expect.arrayContaining(['Application', 'Subscription'])],
          Metrics: [
            expect.objectContaining({ Name: 'Handled', Unit: 'Count' }),
            expect.objectContaining({ Name: 'OldestRetry', Unit: 'Seconds' }),
          ],
        },
      ],
    },
    Application: 'shop',
    Subscription: 'charge',
    Handled: 3,
    OldestRetry: 60,
  }

  it('are in the embedded metric format', () => {
    const lines: string[] = []
    embeddedMetrics(
      'shop',
      () => 1,
      (line) => lines.push(line),
    )('charge', { handled: 3, oldestRetry: 60 })
    expect(lines.map((line) => JSON.parse(line))).toEqual([expected])
  })

  it("are the same through Powertools' metrics where they are installed", async () => {
    const lines = await linesOf(async () => {
      const publish = await publishMetrics('shop')
      publish('charge', { handled: 3, oldestRetry: 60 })
    })
    expect(lines).toEqual([expect.objectContaining(expected)])
  })

  it('count what each invocation added, and the sweep tells what waits', async () => {
    const told: [string, Readonly<Record<string, number>>][] = []
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', EVENTS, {
              failure: { blocks: 'key', exhausted: 'dead-letter', immediate: 0 },
              handle: (event) => {
                if (event.id === 'e1') throw new Error('always')
              },
            }),
          ],
        }),
      { options: { metrics: (subscription, counts) => void told.push([subscription, counts]) } },
    )
    await world.put(
      'events',
      [0, 1, 2].map((n) => ({ key: `k${n}`, id: `e${n}`, data: null })),
    )
    world.mapStream('work')
    await world.clock.advance(10_000)
    expect(told).toEqual([['work', { handled: 2, failedAttempts: 1 }]])
    await world.clock.advance(20_000)
    told.length = 0
    await world.settle(world.fn('sweep').invoke({}))
    expect(told).toEqual([['work', { heldKeys: 1, oldestRetry: expect.any(Number) }]])
    expect(told[0]?.[1].oldestRetry).toBeGreaterThanOrEqual(20)
    expect(Object.keys(METRIC_NAMES)).toEqual(
      expect.arrayContaining(['handled', 'failedAttempts', 'heldKeys', 'oldestRetry']),
    )
  })
})

describe('Traces of functions', () => {
  interface Seen {
    readonly name: string
    readonly attributes: Record<string, unknown>
    status: number
    ended: number
  }

  function recordingTracer(): { readonly tracer: Tracer; readonly seen: Seen[] } {
    const seen: Seen[] = []
    const startActiveSpan = (
      name: string,
      { attributes }: { attributes: Record<string, unknown> },
      run: (span: Span) => unknown,
    ) => {
      const span: Seen = { name, attributes: { ...attributes }, status: 0, ended: 0 }
      seen.push(span)
      return run({
        setAttribute: (key: string, value: unknown) => Object.assign(span.attributes, { [key]: value }),
        recordException: () => {},
        setStatus: ({ code }: { code: number }) => Object.assign(span, { status: code }),
        end: () => Object.assign(span, { ended: span.ended + 1 }),
      } as unknown as Span)
    }
    return { tracer: { startActiveSpan } as unknown as Tracer, seen }
  }

  it('have a span a call of a handler, with how it went', async () => {
    const { tracer, seen } = recordingTracer()
    const app = withSpans(
      defineApp({
        subscriptions: [
          subscribe('now', EVENTS, { failure: { blocks: 'nothing' }, handle: () => {} }),
          subscribe('later', EVENTS, {
            failure: { blocks: 'nothing' },
            handle: () => Promise.reject(new Error('no')),
          }),
          subscribe('many', EVENTS, {
            failure: { blocks: 'nothing' },
            handleBatch: (items) =>
              items.map((item) => (item.id === '1' ? failed(item, new Error('no')) : succeeded(item))),
          }),
        ],
      }),
      { SpanStatusCode },
      tracer,
    )
    const [now, later, many] = app.subscriptions
    const event = decodeEvent(encodeEvent({ key: 'k', data: null }, { stream: 'events', id: 'e', nowMs: 0 }))
    const ctx = {
      subscription: 'now',
      stream: 'events',
      shardId: 's',
      attempt: 2,
      path: 'retry',
      eventId: 'e',
    }
    await now?.handle?.(event, ctx as unknown as HandlerContext)
    await expect(
      later?.handle?.(event, { ...ctx, subscription: 'later' } as unknown as HandlerContext),
    ).rejects.toThrow('no')
    await many?.batch?.handle([], {
      subscription: 'many',
      stream: 'events',
      path: 'live',
      signal: new AbortController().signal,
    })
    expect(seen).toEqual([
      {
        name: 'handle now',
        attributes: {
          'eddy.subscription': 'now',
          'eddy.stream': 'events',
          'eddy.shard': 's',
          'eddy.attempt': 2,
          'eddy.path': 'retry',
          'eddy.event_id': 'e',
          'eddy.outcome': 'ok',
        },
        status: 0,
        ended: 1,
      },
      expect.objectContaining({ name: 'handle later', status: SpanStatusCode.ERROR, ended: 1 }),
      expect.objectContaining({ name: 'handle many', ended: 1 }),
    ])
    expect(seen[1]?.attributes['eddy.outcome']).toBe('failed')
  })
})
