import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Handler, HandlerContext } from '../model/app.ts'
import type { EddyEvent } from '../model/event.ts'
import { validateData } from '../model/schema.ts'

/**
 * Calls a handler, on whatever thread (I7). The schema is part of the call: one that waits, or throws, is bounded and
 * counted like the handler itself.
 */
export function invoke(
  handler: Handler,
  schema: StandardSchemaV1 | undefined,
  event: EddyEvent,
  context: HandlerContext,
): unknown {
  if (schema === undefined) return handler(event, context)
  const data = validateData(schema, event.data)
  if (!isThenable(data)) return handler({ ...event, data }, context)
  return data.then((checked) => handler({ ...event, data: checked }, context))
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
