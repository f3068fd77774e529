import { InvalidRequestError } from '@eddy/core'
import { jsonResponse } from '../http/json-response.ts'
import { linkedSignal } from '../http/linked-signal.ts'
import { problemOf, problemResponse } from '../http/problem.ts'
import { queryInteger } from '../http/query.ts'
import { readBody } from '../http/read-body.ts'
import { integer, json, ref, text } from '../openapi/schema.ts'
import { appendRecords, refused } from '../records/append-records.ts'
import { parseRecords } from '../records/parse-records.ts'
import type { ParsedRecord } from '../records/parsed-record.ts'
import { readAnswer } from '../records/read-answer.ts'
import { recordOptions } from '../records/record-options.ts'
import { isOneTry, requestMarks } from '../records/request-marks.ts'
import { parseStartPosition } from '../records/start-position.ts'
import type { Call, Route } from '../route.ts'
import { appendDoc } from './append-doc.ts'

const MAX_WAIT_MS = 30_000

export const recordsRoutes: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/streams/{name}/records',
    access: 'token',
    effect: 'changes',
    doc: appendDoc,
    handle: append,
  },
  {
    method: 'get',
    path: '/v1/streams/{name}/shards/{shardId}/records',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'readRecords',
      tag: 'records',
      summary: 'Read a shard',
      description: 'Go on from `next`; without it the shard is closed and everything in it was read.',
      parameters: [
        {
          name: 'from',
          in: 'query',
          description:
            '`trim_horizon` (default), `latest`, `at:SEQUENCE`, `after:SEQUENCE` (either with `:SUB` for a record within an aggregate), an ISO time or epoch milliseconds.',
          schema: text(),
          example: 'trim_horizon',
        },
        {
          name: 'limit',
          in: 'query',
          description: 'Records in the answer.',
          schema: integer(undefined, { minimum: 1, maximum: 10_000, default: 100 }),
        },
        {
          name: 'waitMs',
          in: 'query',
          description: 'Wait up to this long for a first record.',
          schema: integer(undefined, { minimum: 0, maximum: MAX_WAIT_MS, default: 0 }),
        },
      ],
      responses: { 200: json('Records, oldest first.', ref('ReadAnswer')) },
      problems: [404, 429],
    },
    handle: read,
  },
]

async function append(call: Call): Promise<Response> {
  const { server, context } = call
  const options = recordOptions(call.query, context.req.header('content-type'), server.limits.maxRecords)
  const body = await readBody(context.req.raw, server.limits.maxBodyBytes, call.body)
  const records = parseRecords(body, options)
  const header = (name: string) => context.req.header(name)
  const way = { marks: requestMarks(header, records.length), isOnce: isOneTry(header) }
  if (records.every((record) => !record.ok)) return nothingToAppend(call, records)
  const results = await appendRecords(server.operations, call.path.name as string, records, way)
  return jsonResponse({ failedCount: results.filter((result) => !result.ok).length, results })
}

/** Nothing could be parsed: a problem that still says of each record what was wrong with it. */
function nothingToAppend(call: Call, records: readonly ParsedRecord[]): Response {
  const results = records.map((record) => refused(record.ok ? '' : record.message))
  const first = results[0]
  const why = first === undefined || first.ok ? '' : first.message
  const error = new InvalidRequestError(
    results.length === 1 ? why : `none of the ${results.length} records is an event; the first: ${why}`,
    { records: results.length },
  )
  return problemResponse(problemOf(error, call.server.logger), { failedCount: results.length, results })
}

async function read(call: Call): Promise<Response> {
  const { server, query } = call
  const request = {
    stream: call.path.name as string,
    shardId: call.path.shardId as string,
    from: parseStartPosition(query.from ?? 'trim_horizon'),
    maxRecords: queryInteger(query, 'limit', { min: 1, max: 10_000 }) ?? 100,
    maxBytes: server.limits.maxReadBytes,
    waitMs: queryInteger(query, 'waitMs', { min: 0, max: MAX_WAIT_MS }) ?? 0,
  }
  const linked = linkedSignal([call.context.req.raw.signal, server.stopping])
  try {
    const result = await server.operations.read({ ...request, signal: linked.signal })
    return jsonResponse(readAnswer(server.operations, result))
  } finally {
    linked.release()
  }
}
