import type { JsonSchema } from '../route-doc.ts'
import { epochMs, integer, object, text } from '../schema.ts'

export const auditSchemas: Readonly<Record<string, JsonSchema>> = {
  AuditEntry: object({
    atMs: epochMs(''),
    by: text(),
    action: text('`edit`, `drop`, `redrive`, `pause`, `seek`, …'),
    target: text('A failure, a job, a subscription or a stream.'),
    'count?': integer('Items it changed, where it may change many.'),
    'note?': text(),
  }),
}
