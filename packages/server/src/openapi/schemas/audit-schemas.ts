import type { JsonSchema } from '../route-doc.ts'
import { epochMs, integer, list, object, ref, text } from '../schema.ts'

export const auditSchemas: Readonly<Record<string, JsonSchema>> = {
  AuditEntry: object({
    atMs: epochMs(''),
    by: text(),
    action: text('`edit`, `drop`, `redrive`, `pause`, `seek`, `policy`, …'),
    target: text('A failure, a job, a subscription or a stream.'),
    'count?': integer('Items it changed, where it may change many.'),
    'changes?': list(ref('PolicyDifference'), { description: 'Of a policy.' }),
    'note?': text(),
  }),
}
