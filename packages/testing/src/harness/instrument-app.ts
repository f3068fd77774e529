import type { AppDefinition, EddyEvent, Handler, HandlerContext, SubscriptionDefinition } from '@eddy/core'
import { endWhenAborted, type Instruments, isThenable } from './instruments.ts'
import { errorOf, type FailOptions } from './interferences.ts'
import { watchedBatch } from './watched-batch.ts'

/** The application with its handlers watched and interfered with; everything else is as its author wrote it. */
export function instrumentApp(app: AppDefinition, instruments: Instruments): AppDefinition {
  const subscriptions = app.subscriptions.map(
    (definition): SubscriptionDefinition => ({
      ...definition,
      handle: definition.handle === undefined ? undefined : watched(definition.handle, instruments),
      batch:
        definition.batch === undefined
          ? undefined
          : {
              ...definition.batch,
              handle: watchedBatch(definition.batch.handle, definition.failure.blocks, instruments),
            },
    }),
  )
  return { ...app, subscriptions, notify: [instruments.sink] }
}

function watched(handle: Handler, instruments: Instruments): Handler {
  const { calls, interferences, clock, life } = instruments
  // Not async: a handler that answers at once is taken at its word, here as without the harness.
  return (event, ctx) => {
    const end = calls.begin(event, ctx, life)
    endWhenAborted(ctx, end)
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
