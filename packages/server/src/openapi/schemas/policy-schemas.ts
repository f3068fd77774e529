import { POLICY_PATHS } from '@eddy/core'
import type { JsonSchema } from '../route-doc.ts'
import { choice, epochMs, flag, integer, list, object, ref, text } from '../schema.ts'

const PATH = choice(POLICY_PATHS)
/** Any JSON: what a part holds depends on its path. */
const VALUE: JsonSchema = { description: 'As the application file would state it; null: nothing limits.' }
const SOURCE = choice(['file', 'override'])

export const policySchemas: Readonly<Record<string, JsonSchema>> = {
  PolicyDifference: object({
    path: PATH,
    before: VALUE,
    after: VALUE,
    beforeFrom: SOURCE,
    afterFrom: SOURCE,
  }),
  Policy: object({
    subscription: text(),
    version: integer('0: never changed. Raised by every change; attempts in the ledger name it.'),
    parts: list(
      object({
        path: PATH,
        value: VALUE,
        from: SOURCE,
        file: { description: 'What the application file says.' },
        'version?': integer('The change that brought it.'),
        'by?': text(),
        'atMs?': epochMs(''),
      }),
    ),
    rejected: list(object({ path: PATH, value: VALUE, reason: text() }), {
      description: 'Changes that the application file does not allow any more: its own values count.',
    }),
    history: list(
      object({
        version: integer(),
        atMs: epochMs(''),
        by: text(),
        'note?': text(),
        changes: list(ref('PolicyDifference')),
      }),
    ),
  }),
  PolicyResult: object({
    subscription: text(),
    version: integer('That counts now.'),
    changes: list(ref('PolicyDifference'), { description: 'Empty: nothing differed.' }),
    dryRun: flag(),
  }),
}
