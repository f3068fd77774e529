import {
  type AppDefinition,
  defineApp,
  type FailureOptions,
  type Handler,
  type NewEvent,
  type StreamDefinition,
  type SubscribeOptions,
  stream,
  subscribe,
} from '@eddy/core'
import { onTestFinished } from 'vitest'
import { type Harness, type HarnessOptions, harness } from '../../src/index.ts'

export interface OneSubscription extends Omit<SubscribeOptions<unknown>, 'failure' | 'handle'> {
  readonly shards?: number
  readonly handle?: Handler
}

/** An application whose only subscription, `work`, reads the stream `events`. */
export function oneSubscription(failure: FailureOptions, options: OneSubscription = {}): AppDefinition {
  const { shards = 1, handle = () => {}, ...rest } = options
  return defineApp({ subscriptions: [subscribe('work', eventStream(shards), { ...rest, failure, handle })] })
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
