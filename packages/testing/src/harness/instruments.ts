import { type Clock, type HandlerContext, isEddyError, type NotifySink } from '@eddy/core'
import type { CallOutcome, HandlerCalls } from './handler-calls.ts'
import type { Interferences } from './interferences.ts'

/** What the harness puts around every handler of an application. */
export interface Instruments {
  readonly calls: HandlerCalls
  readonly interferences: Interferences
  /** Takes the place of the application's own sinks: a test sends nothing anywhere. */
  readonly sink: NotifySink
  /** The clock of the process: what sleeps on it never wakes after a crash. */
  readonly clock: Clock
  readonly life: number
}

/** A call that is given up while it runs. */
export function endWhenAborted({ signal }: HandlerContext, end: (outcome: CallOutcome) => void): void {
  signal.addEventListener('abort', () => end(isTimeout(signal.reason) ? 'timed-out' : 'stopped'))
}

function isTimeout(reason: unknown): boolean {
  return isEddyError(reason) && reason.code === 'EDDY_HANDLER_TIMEOUT'
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
