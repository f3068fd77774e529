import { required, text } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { integer, json, object, text as textSchema } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'

export const backupRoutes: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/backup',
    access: 'token',
    // It writes to the server's disk: nothing for those who may only look.
    effect: 'changes',
    doc: {
      id: 'backup',
      tag: 'server',
      summary: 'Copy the data directory while running',
      description: 'The target is a path on the server.',
      body: {
        required: true,
        content: {
          'application/json': {
            schema: object({ target: textSchema(undefined, { maxLength: 4_096 }) }, { closed: true }),
            example: { target: '/var/backups/eddy-2026-01-31' },
          },
        },
      },
      responses: { 200: json('Its size.', object({ bytes: integer() })) },
      problems: [501],
    },
    handle: backup,
  },
]

async function backup(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['target'])
  const expected = 'a path on the server'
  const target = required(text(body, 'target', { max: 4_096, expected }), 'target', expected)
  return jsonResponse(await call.server.operations.backup(target))
}
