import {
  KINESIS_LIMITS,
  type LimitsOption,
  type NewStream,
  resolveFaults,
  resolveLimits,
  type ServiceFaults,
  type StreamChange,
} from '@eddy/core'
import { choice, type Fields, integer as integerField, required, text as textField } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { json, list, object, ref } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/

export const streamsRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/streams',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'listStreams',
      tag: 'streams',
      summary: 'List streams',
      responses: { 200: json('All streams, by name.', list(ref('Stream'))) },
    },
    handle: async ({ server }) => jsonResponse(await server.operations.listStreams()),
  },
  {
    method: 'post',
    path: '/v1/streams',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'createStream',
      tag: 'streams',
      summary: 'Create a stream',
      body: {
        required: true,
        content: {
          'application/json': { schema: ref('NewStream'), example: { name: 'orders', shardCount: 4 } },
        },
      },
      responses: { 201: json('The new stream.', ref('StreamDetail')) },
      problems: [409],
    },
    handle: create,
  },
  {
    method: 'get',
    path: '/v1/streams/{name}',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showStream',
      tag: 'streams',
      summary: 'Show a stream with its shards',
      responses: { 200: json('The stream.', ref('StreamDetail')) },
      problems: [404],
    },
    handle: async ({ server, path }) => jsonResponse(await server.operations.showStream(path.name as string)),
  },
  {
    method: 'patch',
    path: '/v1/streams/{name}',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'changeStream',
      tag: 'streams',
      summary: "Change a stream's limits and faults",
      description:
        'They count from now on. What is left out stays; `"limits": "none"` lifts the limits, `"faults": {}` ends the faults. A stream that the application defines with limits or faults gets those again at the next start.',
      body: {
        required: true,
        content: {
          'application/json': { schema: ref('StreamChange'), example: { limits: 'kinesis' } },
        },
      },
      responses: { 200: json('The stream after it.', ref('StreamDetail')) },
      problems: [404],
    },
    handle: change,
  },
  {
    method: 'delete',
    path: '/v1/streams/{name}',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'deleteStream',
      tag: 'streams',
      summary: 'Delete a stream and its records',
      responses: { 204: { description: 'It is gone.' } },
      problems: [404],
    },
    handle: async ({ server, path }) => {
      await server.operations.deleteStream(path.name as string)
      return new Response(null, { status: 204 })
    },
  },
  {
    method: 'post',
    path: '/v1/streams/{name}/shards/{shardId}/split',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'splitShard',
      tag: 'streams',
      summary: 'Split a shard in two',
      body: {
        required: false,
        content: {
          'application/json': {
            schema: object({ 'newStartingHashKey?': ref('HashKey') }, { closed: true }),
            example: {},
          },
        },
      },
      responses: { 200: json('The stream after it.', ref('StreamDetail')) },
      problems: [404, 409],
    },
    handle: split,
  },
  {
    method: 'post',
    path: '/v1/streams/{name}/shards/{shardId}/merge',
    access: 'token',
    effect: 'changes',
    doc: {
      id: 'mergeShards',
      tag: 'streams',
      summary: 'Merge a shard with an adjacent one',
      body: {
        required: false,
        content: {
          'application/json': {
            schema: object({ 'adjacentShardId?': { type: 'string' } }, { closed: true }),
            example: { adjacentShardId: 'shardId-000000000001' },
          },
        },
      },
      responses: { 200: json('The stream after it.', ref('StreamDetail')) },
      problems: [404, 409],
    },
    handle: merge,
  },
]

async function create(call: Call): Promise<Response> {
  const known = ['name', 'shardCount', 'retentionMs', 'durability', 'limits', 'faults']
  const body = await jsonBody(call, known)
  const nameRule = '1 to 128 characters of a-z, A-Z, 0-9, "_", "." and "-"'
  const shardCount = integerField(body, 'shardCount', { min: 1, max: 1_024 })
  const spec: NewStream = {
    name: required(textField(body, 'name', { pattern: STREAM_NAME, expected: nameRule }), 'name', nameRule),
    retentionMs: integerField(body, 'retentionMs', { min: HOUR_MS, max: 365 * DAY_MS }) ?? 7 * DAY_MS,
    durability: choice(body, 'durability', ['fsync', 'os']) ?? 'fsync',
    ...limitsOf(body),
    // How many an on-demand stream begins with is a matter of its limits.
    ...(body.limits === 'kinesis-on-demand' && shardCount === undefined
      ? {}
      : { shardCount: required(shardCount, 'shardCount', 'a whole number from 1 to 1024') }),
  }
  const created = await call.server.operations.createStream(spec)
  return jsonResponse(created, 201, { location: `/v1/streams/${encodeURIComponent(spec.name)}` })
}

async function change(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['limits', 'faults'])
  return jsonResponse(await call.server.operations.changeStream(call.path.name as string, limitsOf(body)))
}

/** @throws InvalidOptionError, also of a figure inside */
function limitsOf(body: Fields): StreamChange {
  const { limits, faults } = body as { readonly limits?: LimitsOption; readonly faults?: ServiceFaults }
  if (limits !== undefined) resolveLimits('limits', limits)
  // Whether the stream has limits for its faults the operation knows.
  if (faults !== undefined) resolveFaults('faults', faults, KINESIS_LIMITS)
  return { ...(limits !== undefined && { limits }), ...(faults !== undefined && { faults }) }
}

async function split(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['newStartingHashKey'])
  const hashKey = textField(body, 'newStartingHashKey', {
    pattern: /^\d{1,39}$/,
    expected: 'the digits of a 128-bit whole number, as text',
  })
  const { name, shardId } = call.path
  return jsonResponse(await call.server.operations.splitShard(name as string, shardId as string, hashKey))
}

async function merge(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['adjacentShardId'])
  const { name, shardId } = call.path
  return jsonResponse(
    await call.server.operations.mergeShards(
      name as string,
      shardId as string,
      textField(body, 'adjacentShardId'),
    ),
  )
}
