import {
  type AppDefinition,
  type AppendOptions,
  type AppendOutcome,
  type FailureFilter,
  InvalidOptionError,
  isApp,
  type LedgerItem,
  type NewEvent,
  type NewMessage,
  type Notice,
  type Operations,
  type QueueDefinition,
  type SendOutcome,
  type StreamDefinition,
} from '@eddy/core'
import type { VirtualClock } from '../clock/virtual-clock.ts'
import type { FaultPlan } from '../sim/fault-plan.ts'
import type { SimWorld } from '../sim/sim-world.ts'
import type { Duration } from './duration.ts'
import type { HandlerCall } from './handler-calls.ts'
import type { LogLine } from './harness-logs.ts'
import type { DelayOptions, FailOptions } from './interferences.ts'
import { RunningHarness } from './running-harness.ts'

export interface HarnessOptions {
  /** Everything that is left to chance (jitter, ties, faults) follows from it; default 1. */
  readonly seed?: number | string
  /** Faults of the simulated engine; default none. `roughFaults` has a bit of everything. */
  readonly faults?: FaultPlan
  /** Wall time at the start, epoch milliseconds; default 2026-01-01T00:00:00Z. */
  readonly startMs?: number
}

/**
 * An application that runs under a test's control. Time stands still between the test's calls; a call that is awaited
 * lets as much of it pass as it needs, `advance` and `settle` as much as they say.
 *
 * A name of a subscription that the application does not have is refused with SubscriptionNotFoundError, a stream's
 * with StreamNotFoundError, a queue's with QueueNotFoundError.
 */
export interface Harness {
  /** Appends events; resolves, as in production, once they are stored, not once they are handled. */
  append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]>

  /** Sends messages to a queue; resolves once they are stored, not once they are handled. */
  send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]>

  /** Makes handler calls fail until `heal`. @returns what takes this one back */
  fail(subscription: string, options?: FailOptions): () => void
  /** Makes handler calls slow, by the virtual clock, until `heal`. @returns what takes this one back */
  delay(subscription: string, options: DelayOptions): () => void
  /** The application's handler runs as it is again. */
  heal(subscription: string): void

  /** Lets time pass, and everything happen that becomes due in it. */
  advance(duration: Duration): Promise<void>
  /**
   * Lets time pass until nothing is left to do, at most `within` (default one hour). Retries and delayed messages that
   * are due later stay.
   * It ends up to a second after the last thing was done.
   * @throws NotSettledError when handlers still run, or events wait to be handled, after that time
   */
  settle(within?: Duration): Promise<void>

  /** Every call of the subscription's handler, in the order in which they began, over all lives of the process. */
  calls(subscription: string): readonly HandlerCall[]
  /** Calls of the handler for one event. */
  attempts(subscription: string, eventId: string): number
  /**
   * Ids of a key's events in the order in which they were handled successfully. One that came again after a crash
   * stands there again.
   */
  order(subscription: string, key: string): readonly string[]

  /** What the failure ledger holds, newest first within a status. */
  failures(filter?: FailureFilter): Promise<readonly LedgerItem[]>
  deadLetters(subscription: string): Promise<readonly LedgerItem[]>
  retrying(subscription: string): Promise<readonly LedgerItem[]>
  /** Events that wait behind others, or for a person. */
  held(subscription: string): Promise<readonly LedgerItem[]>
  /** Failed at least once and then were handled, or edited. */
  resolved(subscription: string): Promise<readonly LedgerItem[]>
  dropped(subscription: string): Promise<readonly LedgerItem[]>

  /** All that an operator can do; a call lets the clock run until it is answered. */
  readonly operations: Operations
  /** Notices so far. The application's own sinks are not called: a test tells nobody. */
  readonly notices: readonly Notice[]
  /** What the application's runtime logged at `warn` and `error`, the last 1,000 lines. */
  readonly logs: readonly LogLine[]

  /**
   * Ends the process without a word, as `kill -9` does, and starts it again on what was stored. Pass `restart: false`
   * to look at the ruins, or to append nothing for a while, and call `restart` then.
   */
  crash(options?: { readonly restart?: boolean }): Promise<void>
  /** Stops the process as SIGTERM does (or finds it crashed), and starts it again. */
  restart(options?: { readonly timeoutMs?: number; readonly app?: AppDefinition }): Promise<void>

  /** For `now`, `jump` and waits of one's own. Handlers that sleep on it do so beyond a crash; see `delay`. */
  readonly clock: VirtualClock
  /** The simulated engine: its faults, the calls it got, what it stores. */
  readonly world: SimWorld
  /** Stops the application. */
  close(): Promise<void>
}

/**
 * Runs an application on the simulated engine and the virtual clock, so that an hour of retries takes a moment and a
 * run can be repeated exactly.
 *
 * Handlers run as they are. They may await promises, microtasks and `setImmediate`. What waits for real time or the
 * outside world (`setTimeout`, files, sockets) is not waited for by the virtual clock: hand such things to your
 * handlers and put a stand-in in their place.
 *
 * @throws InvalidOptionError for something that `defineApp` did not make
 * @example
 * const h = await harness(app)
 * h.fail('billing', { key: 'member-7', times: 2 })
 * await h.append('orders', [{ key: 'member-7', id: 'o1', data: { cents: 500 } }])
 * await h.advance('1h')
 * expect(h.attempts('billing', 'o1')).toBe(3)
 * await h.close()
 */
export async function harness(app: AppDefinition, options: HarnessOptions = {}): Promise<Harness> {
  if (!isApp(app)) throw new InvalidOptionError('harness(app)', 'an application made with defineApp()', app)
  const running = new RunningHarness(app, options)
  await running.start()
  return running
}
