import { oldestWaitMs } from '../fail/oldest-wait.ts'
import { Sweeper, type SweepPlace } from '../fail/sweeper.ts'
import type { Invocation } from './invocation.ts'
import type { InvokedSubscription } from './invoked-subscription.ts'

/** Retries that are ready and wait for a function: so many, and none is taken for lost. */
const MAX_READY = 100
/** Tokens sent in one round where few are ready (I6). */
const TOKENS_A_ROUND = 500
/** Pages of each kind in one sweep; the next one goes on there. */
const MAX_ROUNDS = 200
/** Of the payload janitor's rounds: a blob goes only when two of them find it without its item. */
const JANITOR_EVERY_MS = 600_000

/** What a sweep saw of a subscription. */
export interface Swept {
  readonly subscription: string
  /** Keys, or shards, whose events wait; undefined: there are more than one sweep looks at. */
  readonly heldKeys: number | undefined
  /** How long the event has waited that waits longest for something other than a person; 0: none does. */
  readonly oldestWaitMs: number
}

/**
 * Rule 10 of the hold protocol for one subscription, for as long as there is time: lost tokens are sent again, leftovers put
 * away, expired payloads removed.
 */
export async function sweep(subscription: InvokedSubscription, invocation: Invocation): Promise<Swept> {
  const { parts, handOver, closesAtMs } = invocation
  const { clock } = parts.engine
  const { sweepPlace: place } = subscription
  const swept = {
    subscription: parts.definition.name,
    heldKeys: undefined,
    oldestWaitMs: await oldestWaitMs(parts.ledger, clock),
  }
  if (parts.pause.isPaused) return swept
  const isFromStart = isAtStart(place)
  const sweeper = new Sweeper(parts, handOver, { place, mayBeLost: () => mayBeLost(invocation) })
  for (let round = 0; round < MAX_ROUNDS && clock.monotonicMs() < closesAtMs; round += 1) {
    await sweeper.sweep()
    if (isAtStart(place)) break
  }
  const heldKeys = isFromStart && isAtStart(place) ? sweeper.heldLanes : undefined
  const { lookedThroughAtMs } = subscription
  const isDue = lookedThroughAtMs === undefined || clock.monotonicMs() - lookedThroughAtMs >= JANITOR_EVERY_MS
  if (isDue) {
    subscription.lookedThroughAtMs = clock.monotonicMs()
    await subscription.janitor.round()
  }
  return { ...swept, heldKeys }
}

function isAtStart({ retryingAfter, heldAfter, holdsAfter }: SweepPlace): boolean {
  return retryingAfter === undefined && heldAfter === undefined && holdsAfter === undefined
}

/**
 * Counting all that waits would read all of it, each minute. What is overdue while many tokens are ready waits for its
 * turn; while few are, its token is lost, and one too many does no harm.
 */
async function mayBeLost({ parts }: Invocation): Promise<number> {
  const { messages, inFlight, delayed } = await parts.engine.queue.stats(parts.tokens.queueName)
  return messages - inFlight - delayed > MAX_READY ? 1 : TOKENS_A_ROUND
}
