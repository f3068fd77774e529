import { InvalidOptionError, InvalidRequestError, type NewMessage, type SendOutcome } from '@eddy/core'
import { defined, text } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { problemOf, problemResponse } from '../http/problem.ts'
import { queryFlag, queryInteger, queryTime } from '../http/query.ts'
import { readBody } from '../http/read-body.ts'
import { flag as flagSchema, json, list, object, ref } from '../openapi/schema.ts'
import { bodyFormat } from '../records/body-format.ts'
import type { Parsed } from '../records/parse-body.ts'
import { type MessageOptions, parseMessages } from '../records/parse-messages.ts'
import { requestMarks } from '../records/request-marks.ts'
import type { Call, Route } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { isDryRun } from './dry-run.ts'
import { sendDoc } from './send-doc.ts'

const MAX_DELAY_MS = 31_536_000_000

export const queuesRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/queues',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listQueues',
      tag: 'queues',
      summary: 'List queues with what waits in them',
      responses: { 200: json('The queues of the application, by name.', list(ref('Queue'))) },
    },
    handle: async ({ server }) => jsonResponse(await server.operations.listQueues()),
  },
  {
    method: 'get',
    path: '/v1/queues/{name}',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showQueue',
      tag: 'queues',
      summary: 'Show a queue',
      responses: { 200: json('The queue.', ref('Queue')) },
      problems: [404],
    },
    handle: async ({ server, path }) => jsonResponse(await server.operations.showQueue(path.name as string)),
  },
  {
    method: 'post',
    path: '/v1/queues/{name}/messages',
    access: 'token',
    effect: 'changes',
    doc: sendDoc,
    handle: send,
  },
  {
    method: 'post',
    path: '/v1/queues/{name}/purge',
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: {
      id: 'purgeQueue',
      tag: 'queues',
      summary: 'Remove every message of a queue',
      description:
        'Ready, delayed and in flight; a handler that runs goes on. What failed before stays in the failure ledger. Kept in the audit list.',
      body: {
        required: false,
        content: {
          'application/json': {
            schema: object({ 'dryRun?': flagSchema('Count only.'), ...actionSchema }, { closed: true }),
            example: { by: 'ada', note: 'test data' },
          },
        },
      },
      responses: { 200: json('How many there were.', ref('PurgeResult')) },
      problems: [404],
    },
    handle: purge,
  },
]

async function send(call: Call): Promise<Response> {
  const { server, context, path } = call
  const options = messageOptions(call, context.req.header('content-type'))
  const body = await readBody(context.req.raw, server.limits.maxBodyBytes, call.body)
  const messages = parseMessages(body, options)
  const marks = requestMarks((name) => context.req.header(name), messages.length)
  const good = messages.flatMap((message, index) => {
    if (!message.ok) return []
    if (marks === undefined || message.event.deduplicationId !== undefined) return [message.event]
    return [{ ...message.event, deduplicationId: `${marks.producerId}/${marks.sequences[index]}` }]
  })
  if (good.length === 0) return nothingToSend(call, messages)
  const sent = await server.operations.send(path.name as string, good)
  let next = 0
  const results = messages.map((message) => (message.ok ? sent[next++] : refused(message.message)))
  return jsonResponse({ failedCount: results.filter((result) => result?.ok !== true).length, results })
}

async function purge(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['dryRun', ...ACTION_FIELDS])
  const options = {
    ...actionOptions(body),
    ...(isDryRun(call, body, 'purging a queue') && { dryRun: true }),
  }
  return jsonResponse(await call.server.operations.purgeQueue(call.path.name as string, options))
}

function messageOptions({ query, server }: Call, contentType: string | undefined): MessageOptions {
  const raw = queryFlag(query, 'raw')
  if (!raw && query.type !== undefined)
    throw new InvalidOptionError('type', 'raw=true beside it; messages state it themselves', query.type)
  return {
    format: bodyFormat(contentType),
    raw,
    maxRecords: server.limits.maxRecords,
    ...defined({
      type: text(query, 'type'),
      groupField: text(query, 'group'),
      deduplicationIdField: text(query, 'deduplicationId'),
      delayMs: queryInteger(query, 'delayMs', { min: 0, max: MAX_DELAY_MS }),
      at: queryTime(query, 'at'),
    }),
  }
}

function refused(message: string): SendOutcome {
  return { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message }
}

/** Nothing could be parsed: a problem that still says of each message what was wrong with it. */
function nothingToSend(call: Call, messages: readonly Parsed<NewMessage>[]): Response {
  const results = messages.map((message) => refused(message.ok ? '' : message.message))
  const first = results[0]
  const why = first === undefined || first.ok ? '' : first.message
  const error = new InvalidRequestError(
    results.length === 1 ? why : `none of the ${results.length} values is a message; the first: ${why}`,
    { records: results.length },
  )
  return problemResponse(problemOf(error, call.server.logger), { failedCount: results.length, results })
}
