import { defined, flag as flagOf } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import type { JsonSchema, RouteDoc } from '../openapi/route-doc.ts'
import { flag, json, list, object, ref } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { seek, seekDoc } from './seek.ts'

export const subscriptionsRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/subscriptions',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listSubscriptions',
      tag: 'subscriptions',
      summary: 'List subscriptions with their state',
      responses: { 200: json('All subscriptions.', list(ref('Subscription'))) },
    },
    handle: async ({ server }) => jsonResponse(await server.operations.listSubscriptions()),
  },
  {
    method: 'get',
    path: '/v1/subscriptions/{name}',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showSubscription',
      tag: 'subscriptions',
      summary: 'Show a subscription',
      responses: { 200: json('Its state, shard by shard.', ref('Subscription')) },
      problems: [404],
    },
    handle: async ({ server, path }) =>
      jsonResponse(await server.operations.showSubscription(path.name as string)),
  },
  {
    method: 'post',
    path: '/v1/subscriptions/{name}/pause',
    access: 'token',
    effect: 'changes',
    doc: actionDoc('pauseSubscription', 'Pause a subscription'),
    handle: async (call) =>
      act(call, (name, options) => call.server.operations.pauseSubscription(name, options)),
  },
  {
    method: 'post',
    path: '/v1/subscriptions/{name}/resume',
    access: 'token',
    effect: 'changes',
    doc: actionDoc('resumeSubscription', 'Resume a subscription', {
      'resetBreaker?': flag('Close an open breaker, too: starts ramp up at once.'),
    }),
    handle: async (call) => {
      const body = await jsonBody(call, [...ACTION_FIELDS, 'resetBreaker'])
      const options = { ...actionOptions(body), ...defined({ resetBreaker: flagOf(body, 'resetBreaker') }) }
      return jsonResponse(await call.server.operations.resumeSubscription(call.path.name as string, options))
    },
  },
  {
    method: 'post',
    path: '/v1/subscriptions/{name}/seek',
    access: 'token',
    effect: 'changes',
    doc: seekDoc,
    handle: seek,
  },
]

async function act(
  call: Call,
  action: (name: string, options: ReturnType<typeof actionOptions>) => Promise<unknown>,
): Promise<Response> {
  const body = await jsonBody(call, ACTION_FIELDS)
  return jsonResponse(await action(call.path.name as string, actionOptions(body)))
}

function actionDoc(id: string, summary: string, more: Readonly<Record<string, JsonSchema>> = {}): RouteDoc {
  return {
    id,
    tag: 'subscriptions',
    summary,
    body: {
      required: false,
      content: {
        'application/json': {
          schema: object({ ...actionSchema, ...more }, { closed: true }),
          example: { by: 'ada' },
        },
      },
    },
    responses: { 200: json('Its state after it.', ref('Subscription')) },
    problems: [404, 409],
  }
}
