import type { ActionOptions } from '@eddy/core'
import { defined, type Fields, text } from '../http/fields.ts'
import type { JsonSchema } from '../openapi/route-doc.ts'

export const ACTION_FIELDS: readonly string[] = ['by', 'note']

/** Schema members of who asks and why. */
export const actionSchema: Readonly<Record<string, JsonSchema>> = {
  'by?': { type: 'string', maxLength: 256, description: 'Who asks; kept in the ledger.' },
  'note?': { type: 'string', maxLength: 4_096 },
}

export function actionOptions(body: Fields): ActionOptions {
  return defined({ by: text(body, 'by', { max: 256 }), note: text(body, 'note', { max: 4_096 }) })
}
