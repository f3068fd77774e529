import {
  type AppDefinition,
  type BatchHandler,
  type BatchOptions,
  defineApp,
  type FailureOptions,
  type Handler,
  type NewEvent,
  type ReadingOptions,
  type StreamDefinition,
  stream,
  subscribe,
  succeeded,
} from '@eddy/core'
import { onTestFinished } from 'vitest'
import { type Harness, type HarnessOptions, harness } from '../../src/index.ts'

export interface OneSubscription extends Omit<ReadingOptions<unknown>, 'failure'> {
  readonly shards?: number
  readonly handle?: Handler
}

/** An application whose only subscription, `work`, reads the stream `events`. */
export function oneSubscription(failure: FailureOptions, options: OneSubscription = {}): AppDefinition {
  const { shards = 1, handle = () => {}, ...rest } = options
  return defineApp({ subscriptions: [subscribe('work', eventStream(shards), { ...rest, failure, handle })] })
}

export interface OneBatchSubscription extends Omit<ReadingOptions<unknown>, 'failure'> {
  readonly shards?: number
  readonly handleBatch?: BatchHandler
  readonly batch?: BatchOptions
}

/** The same with a handler of batches, which succeeds with every item; what comes within 100 ms comes together. */
export function oneBatchSubscription(
  failure: FailureOptions,
  options: OneBatchSubscription = {},
): AppDefinition {
  const { shards = 1, handleBatch = (items) => items.map(succeeded), ...rest } = options
  const batch = { maxWaitMs: 100, ...options.batch }
  return defineApp({
    subscriptions: [subscribe('work', eventStream(shards), { ...rest, batch, failure, handleBatch })],
  })
}

export function eventStream(shards: number, retentionMs: number = 7 * 86_400_000): StreamDefinition {
  return stream('events', { shards, retentionMs })
}

/** A harness that is closed at the end of the test. */
export async function openHarness(app: AppDefinition, options?: HarnessOptions): Promise<Harness> {
  const h = await harness(app, options)
  onTestFinished(() => h.close())
  return h
}

export function event(key: string, id: string, data: unknown = {}): NewEvent {
  return { key, id, data }
}

/** `count` events of as many keys as are named, in turn: `k0-0`, `k1-0`, `k0-1`, … */
export function events(count: number, keys: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) =>
    event(`k${index % keys}`, `k${index % keys}-${Math.floor(index / keys)}`),
  )
}
