import type {
  AppDefinition,
  Clock,
  EddyEvent,
  Handler,
  HandlerContext,
  NotifySink,
  SubscriptionDefinition,
} from '@eddy/core'
import { isEddyError } from '@eddy/core'
import type { HandlerCalls } from './handler-calls.ts'
import { errorOf, type FailOptions, type Interferences } from './interferences.ts'

export interface Instruments {
  readonly calls: HandlerCalls
  readonly interferences: Interferences
  /** Takes the place of the application's own sinks: a test sends nothing anywhere. */
  readonly sink: NotifySink
  /** The clock of the process: what sleeps on it never wakes after a crash. */
  readonly clock: Clock
  readonly life: number
}

/** The application with its handlers watched and interfered with; everything else is as its author wrote it. */
export function instrumentApp(app: AppDefinition, instruments: Instruments): AppDefinition {
  const subscriptions = app.subscriptions.map(
    (definition): SubscriptionDefinition => ({
      ...definition,
      handle: watched(definition.handle, instruments),
    }),
  )
  return { ...app, subscriptions, notify: [instruments.sink] }
}

function watched(handle: Handler, instruments: Instruments): Handler {
  const { calls, interferences, clock, life } = instruments
  // Not async: a handler that answers at once is taken at its word, here as without the harness.
  return (event, ctx) => {
    const end = calls.begin(event, ctx, life)
    ctx.signal.addEventListener('abort', () => end(isTimeout(ctx.signal.reason) ? 'timed-out' : 'stopped'))
    const { delayMs, fail } = interferences.next(event, ctx)
    const run = (): unknown => call(handle, event, ctx, fail)
    try {
      const returned = delayMs > 0 ? clock.sleep(delayMs).then(run) : run()
      if (!isThenable(returned)) {
        end('ok')
        return returned
      }
      return Promise.resolve(returned).then(
        (value) => {
          end('ok')
          return value
        },
        (error) => {
          end('failed', error)
          throw error
        },
      )
    } catch (error) {
      end('failed', error)
      throw error
    }
  }
}

function call(
  handle: Handler,
  event: EddyEvent,
  ctx: HandlerContext,
  fail: FailOptions | undefined,
): unknown {
  if (fail === undefined) return handle(event, ctx)
  if (fail.when !== 'after') throw errorOf(fail)
  return Promise.resolve(handle(event, ctx)).then(() => {
    throw errorOf(fail)
  })
}

function isTimeout(reason: unknown): boolean {
  return isEddyError(reason) && reason.code === 'EDDY_HANDLER_TIMEOUT'
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
