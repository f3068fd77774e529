import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { json, list, object, ref } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { startDoc, startRedrive } from './start-redrive.ts'

export const redrivesRoutes: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/redrives',
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: startDoc,
    handle: startRedrive,
  },
  {
    method: 'get',
    path: '/v1/redrives',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listRedrives',
      tag: 'redrives',
      summary: 'List redrives',
      responses: { 200: json('Redrive jobs.', list(ref('RedriveJob'))) },
    },
    handle: async ({ server }) => jsonResponse(await server.operations.listRedrives()),
  },
  {
    method: 'get',
    path: '/v1/redrives/{id}',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showRedrive',
      tag: 'redrives',
      summary: 'Show how far a redrive is',
      responses: { 200: json('The job.', ref('RedriveJob')) },
      problems: [404],
    },
    handle: async ({ server, path }) => jsonResponse(await server.operations.showRedrive(path.id as string)),
  },
  {
    method: 'post',
    path: '/v1/redrives/{id}/cancel',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'cancelRedrive',
      tag: 'redrives',
      summary: 'Cancel a redrive',
      description: 'What was enqueued already is still handled.',
      body: {
        required: false,
        content: {
          'application/json': { schema: object(actionSchema, { closed: true }), example: { by: 'ada' } },
        },
      },
      responses: { 200: json('The job.', ref('RedriveJob')) },
      problems: [404, 409],
    },
    handle: cancel,
  },
]

async function cancel(call: Call): Promise<Response> {
  const body = await jsonBody(call, ACTION_FIELDS)
  return jsonResponse(await call.server.operations.cancelRedrive(call.path.id as string, actionOptions(body)))
}
