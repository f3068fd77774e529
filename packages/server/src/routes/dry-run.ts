import { ReadOnlyError } from '@eddy/core'
import { type Fields, flag } from '../http/fields.ts'
import type { Call } from '../route.ts'

/**
 * Whether the body of a route with `hasDryRun` asks for one.
 * @throws ReadOnlyError when it does not, on a read-only server
 */
export function isDryRun(call: Call, body: Fields, action: string): boolean {
  const isDry = flag(body, 'dryRun') === true
  if (!isDry && call.server.operations.readOnly) throw new ReadOnlyError(action)
  return isDry
}
