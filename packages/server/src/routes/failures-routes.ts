import { defined, text as textField } from '../http/fields.ts'
import { jsonResponse } from '../http/json-response.ts'
import { queryInteger } from '../http/query.ts'
import { integer, json, list, ref, text } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'
import { archiveFailures, bulkDoc, dropFailures } from './bulk-failures.ts'
import { editDoc, editFailure } from './edit-failure.ts'
import { exportDoc, exportFailures } from './export-failures.ts'
import { filterParameters, queryFilter } from './failure-filter.ts'

export const failuresRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/failures',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listFailures',
      tag: 'failures',
      summary: 'List failed events',
      description: 'Newest first within a status. Go on with `after` set to the `next` of the page before.',
      parameters: [
        ...filterParameters,
        {
          name: 'limit',
          in: 'query',
          description: 'Items in the page.',
          schema: integer(undefined, { minimum: 1, maximum: 1_000, default: 100 }),
        },
        { name: 'after', in: 'query', description: 'The `next` of the page before.', schema: text() },
      ],
      responses: { 200: json('A page.', ref('FailurePage')) },
    },
    handle: listFailures,
  },
  {
    method: 'get',
    path: '/v1/failures/groups',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'failureGroups',
      tag: 'failures',
      summary: 'Count failed events by fingerprint',
      parameters: filterParameters,
      responses: { 200: json('Groups.', list(ref('FailureGroup'))) },
    },
    handle: async ({ server, query }) =>
      jsonResponse(await server.operations.failureGroups(queryFilter(query))),
  },
  {
    method: 'get',
    path: '/v1/failures/export',
    access: 'token',
    effect: 'reads',
    doc: exportDoc,
    handle: exportFailures,
  },
  {
    method: 'get',
    path: '/v1/failures/{id}',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showFailure',
      tag: 'failures',
      summary: 'Show a failed event with its payload',
      responses: { 200: json('The item and its payload.', ref('FailureDetail')) },
      problems: [404],
    },
    handle: async ({ server, path }) => jsonResponse(await server.operations.showFailure(path.id as string)),
  },
  {
    method: 'put',
    path: '/v1/failures/{id}/payload',
    access: 'token',
    effect: 'changes',
    doc: editDoc,
    handle: editFailure,
  },
  {
    method: 'post',
    path: '/v1/failures/drop',
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: bulkDoc('dropFailures', 'Drop failed events', 'Dead or parked events become dropped.'),
    handle: dropFailures,
  },
  {
    method: 'post',
    path: '/v1/failures/archive',
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: bulkDoc('archiveFailures', 'Archive failed events', 'Dead events are put aside.'),
    handle: archiveFailures,
  },
]

async function listFailures({ server, query }: Call): Promise<Response> {
  const page = defined({
    limit: queryInteger(query, 'limit', { min: 1, max: 1_000 }) ?? 100,
    after: textField(query, 'after', { max: 4_096 }),
  })
  return jsonResponse(await server.operations.listFailures(queryFilter(query), page))
}
