import { InvalidRequestError, type Operations } from '@eddy/core'
import { requireJsonType } from '../http/content-type.ts'
import { defined, text } from '../http/fields.ts'
import { isObject } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { parseJson } from '../http/parse-json.ts'
import { type Query, queryFlag, queryInteger } from '../http/query.ts'
import { readBody } from '../http/read-body.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import { epochMs, flag as flagSchema, json, ref, text as textSchema } from '../openapi/schema.ts'
import type { Call } from '../route.ts'

const BY_HEADER = 'eddy-by'
const NOTE_HEADER = 'eddy-note'
const EXPECT_HEADER = 'eddy-expect-updated-at'
const ORDER_HEADER = 'eddy-allow-out-of-order'

export const editDoc: RouteDoc = {
  id: 'editFailure',
  tag: 'failures',
  summary: 'Edit the payload of a failed event',
  description:
    'The body is the whole edited envelope. A new event takes the place of the original, which is resolved by the edit.',
  parameters: [
    {
      name: BY_HEADER,
      in: 'header',
      description: 'Who edits; kept in the ledger.',
      schema: textSchema(undefined, { maxLength: 256 }),
    },
    {
      name: NOTE_HEADER,
      in: 'header',
      description: 'Why.',
      schema: textSchema(undefined, { maxLength: 4_096 }),
    },
    {
      name: ORDER_HEADER,
      in: 'header',
      description: 'Agree that the edited event runs after later events of its key.',
      schema: flagSchema(),
    },
    {
      name: EXPECT_HEADER,
      in: 'header',
      description: "The item's `updatedAtMs` as it was shown: refuses the edit when it changed since.",
      schema: epochMs(''),
    },
  ],
  body: {
    required: true,
    content: {
      'application/json': {
        schema: ref('Envelope'),
        example: {
          specversion: '1.0',
          id: 'e-1',
          source: 'shop',
          type: 'order.placed',
          partitionkey: 'customer-7',
          data: { orderId: 'o-1', total: 12 },
        },
      },
    },
  },
  responses: { 200: json('The new item and the original.', ref('EditResult')) },
  problems: [404, 409],
}

export async function editFailure(call: Call): Promise<Response> {
  const { context, server } = call
  requireJsonType(context.req.header('content-type'))
  const options = editOptions((name) => context.req.header(name))
  const payload = await readBody(context.req.raw, server.limits.maxBodyBytes, call.body)
  if (!isObject(parseJson(payload, 'the body'))) {
    throw new InvalidRequestError('the body must be a JSON object: the whole envelope of the event')
  }
  return jsonResponse(await server.operations.editFailure(call.path.id as string, payload, options))
}

type EditOptions = NonNullable<Parameters<Operations['editFailure']>[2]>

function editOptions(header: (name: string) => string | undefined): EditOptions {
  const names = [BY_HEADER, NOTE_HEADER, EXPECT_HEADER, ORDER_HEADER]
  const stated = names.flatMap((name) => {
    const value = header(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const headers: Query = Object.fromEntries(stated)
  return defined({
    by: text(headers, BY_HEADER, { max: 256 }),
    note: text(headers, NOTE_HEADER, { max: 4_096 }),
    expectUpdatedAtMs: queryInteger(headers, EXPECT_HEADER, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    allowOutOfOrder: headers[ORDER_HEADER] === undefined ? undefined : queryFlag(headers, ORDER_HEADER),
  })
}
