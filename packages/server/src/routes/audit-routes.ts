import { jsonResponse } from '../http/json-response.ts'
import { queryInteger } from '../http/query.ts'
import { integer, json, list, ref } from '../openapi/schema.ts'
import type { Route } from '../route.ts'

export const auditRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/audit',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listAudit',
      tag: 'server',
      summary: 'List what people did',
      description: 'Newest first; kept 90 days.',
      parameters: [
        {
          name: 'limit',
          in: 'query',
          description: 'Entries in the answer.',
          schema: integer(undefined, { minimum: 1, maximum: 1_000, default: 100 }),
        },
      ],
      responses: { 200: json('Entries.', list(ref('AuditEntry'))) },
    },
    handle: async ({ server, query }) =>
      jsonResponse(await server.operations.listAudit(queryInteger(query, 'limit', { min: 1, max: 1_000 }))),
  },
]
