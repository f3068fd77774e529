import { type EddyError, isEddyError } from '../errors/eddy-error.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import { backoffDelayMs } from '../policies/backoff.ts'
import type { Clock } from '../ports/clock.ts'
import type { AppendResult, Log } from '../ports/log.ts'
import type { Turn } from './lane-turns.ts'
import { type PendingEntry, selectBatch } from './select-batch.ts'

export interface SendOptions {
  /** Times one event is sent, the first included. */
  readonly maxTries: number
  /** From an event's first sending to its last. */
  readonly deadlineMs: number
  readonly initialDelayMs: number
  readonly maxDelayMs: number
}

/** One call on its way: what its events have in common. */
export interface Sending {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  readonly stream: string
  readonly options: SendOptions
  readonly turn: Turn
  /** Lanes with an event that was given up though it might have been accepted later: nothing follows it. */
  readonly closedLanes: Set<string>
  accepted: number
  settle(index: number, outcome: AppendOutcome): void
}

/**
 * Sends until every entry has its outcome. Only what failed retryably is sent again, after full-jitter growing waits.
 *
 * @throws the engine's error when it is not retryable and nothing of the call was accepted yet
 */
export async function sendWindow(sending: Sending, entries: readonly PendingEntry[]): Promise<void> {
  let pending = entries
  while (pending.length > 0) {
    const nowMs = sending.clock.monotonicMs()
    const { batch, rest, wakeAtMs } = selectBatch(pending, nowMs, (lane) => sending.turn.has(lane))
    if (batch.length === 0) {
      await waitForTurn(sending, wakeAtMs === undefined ? undefined : wakeAtMs - nowMs)
      continue
    }
    const again = await sendBatch(sending, batch)
    // What is sent again goes before the rest: nothing of its lane stands before it.
    pending =
      again.length === 0 && sending.closedLanes.size === 0 ? rest : keepOpen(sending, [...again, ...rest])
  }
}

async function sendBatch(sending: Sending, batch: readonly PendingEntry[]): Promise<readonly PendingEntry[]> {
  const sentMs = sending.clock.monotonicMs()
  for (const pending of batch) {
    pending.tries += 1
    pending.firstSentMs ??= sentMs
  }
  let results: readonly AppendResult[]
  try {
    results = await sending.log.append(
      sending.stream,
      batch.map((pending) => pending.entry),
    )
  } catch (error) {
    return notKnown(sending, batch, error)
  }
  if (results.length !== batch.length) {
    throw new Error(`the log answered ${results.length} results to ${batch.length} entries`)
  }
  const round = retryRound(sending)
  const again: PendingEntry[] = []
  for (const [position, pending] of batch.entries()) {
    const result = results[position] as AppendResult
    if (result.ok) {
      sending.accepted += 1
      const { shardId, sequenceNumber, duplicate } = result
      finish(sending, pending, { ok: true, id: pending.id, shardId, sequenceNumber, duplicate })
    } else if (!result.retryable) {
      finish(sending, pending, { ok: false, code: result.code, retryable: false, message: result.message })
    } else if (tryAgain(sending, pending, result, round)) again.push(pending)
  }
  return again
}

/** The call failed as a whole: with a retryable error any entry may have been stored, and is sent with its mark again. */
function notKnown(sending: Sending, batch: readonly PendingEntry[], error: unknown): readonly PendingEntry[] {
  if (!isEddyError(error)) throw error
  if (error.retryable) {
    const failure = { code: error.code, message: `${error.message} (it may have been stored)` }
    const round = retryRound(sending)
    return batch.filter((pending) => tryAgain(sending, pending, failure, round))
  }
  if (sending.accepted === 0) throw error
  // Whatever is left meets the same error, but each event keeps its own outcome.
  for (const pending of batch) finish(sending, pending, outcomeOf(error))
  return []
}

/** What failed together is sent again together, not in hundreds of small calls: one time and one draw for all. */
interface RetryRound {
  readonly nowMs: number
  readonly chance: number
}

function retryRound(sending: Sending): RetryRound {
  return { nowMs: sending.clock.monotonicMs(), chance: sending.clock.random() }
}

function tryAgain(
  sending: Sending,
  pending: PendingEntry,
  failure: { readonly code: string; readonly message: string },
  { nowMs, chance }: RetryRound,
): boolean {
  const { maxTries, deadlineMs, initialDelayMs, maxDelayMs } = sending.options
  const delayMs = backoffDelayMs(
    {
      kind: 'exponential',
      maxAttempts: maxTries,
      initialMs: initialDelayMs,
      factor: 2,
      maxMs: maxDelayMs,
      jitter: 'full',
    },
    pending.tries,
    undefined,
    () => chance,
  )
  pending.notBeforeMs = nowMs + (delayMs ?? 0)
  if (pending.tries < maxTries && pending.notBeforeMs - (pending.firstSentMs ?? nowMs) <= deadlineMs)
    return true
  finish(sending, pending, {
    ok: false,
    code: failure.code,
    retryable: true,
    message: `${failure.message}; given up after ${pending.tries} ${pending.tries === 1 ? 'try' : 'tries'}`,
  })
  sending.closedLanes.add(pending.lane)
  return false
}

function keepOpen(sending: Sending, pending: readonly PendingEntry[]): readonly PendingEntry[] {
  return pending.filter((entry) => {
    if (!sending.closedLanes.has(entry.lane)) return true
    finish(sending, entry, behindUnaccepted(entry.entry.partitionKey))
    return false
  })
}

/** The outcome of an event that must not overtake an earlier one of its key. */
export function behindUnaccepted(key: string): AppendOutcome {
  return {
    ok: false,
    code: 'EDDY_PUBLISH',
    retryable: true,
    message: `events were not appended: an earlier event of key ${JSON.stringify(key)} was not accepted. Send both again, in order.`,
  }
}

function outcomeOf(error: EddyError): AppendOutcome {
  return { ok: false, code: error.code, retryable: error.retryable, message: error.message }
}

function finish(sending: Sending, pending: PendingEntry, outcome: AppendOutcome): void {
  sending.settle(pending.index, outcome)
  sending.turn.settle(pending.lane)
}

/** Until the time has come, or another call leaves one of this call's lanes. */
async function waitForTurn(sending: Sending, delayMs: number | undefined): Promise<void> {
  const woken = new AbortController()
  sending.turn.onTurn(() => woken.abort())
  // Without a time of its own the call waits for a lane; a look now and then costs nothing.
  await sending.clock.sleep(delayMs ?? 60_000, woken.signal)
  sending.turn.onTurn(undefined)
}
