import { InvalidOptionError, type Operations } from '@eddy/core'
import { choice, defined, type Fields, integer, onlyKnown, required, text } from '../http/fields.ts'
import { isObject, jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import { choice as choiceSchema, epochMs, json, object, ref, text as textSchema } from '../openapi/schema.ts'
import type { Call } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'

type SeekPosition = Parameters<Operations['seekSubscription']>[1]

export const seekDoc: RouteDoc = {
  id: 'seekSubscription',
  tag: 'subscriptions',
  summary: 'Read the stream again from a position',
  description: 'Starts a new pass; `shardId` limits it to one shard.',
  body: {
    required: true,
    content: {
      'application/json': {
        schema: object(
          {
            to: {
              oneOf: [
                object({ at: choiceSchema(['trim_horizon', 'latest']) }, { closed: true }),
                object(
                  { at: { const: 'at_timestamp' }, timestampMs: epochMs('Start here.') },
                  { closed: true },
                ),
                object(
                  {
                    at: { const: 'at_sequence_number' },
                    sequenceNumber: textSchema('With `shardId`, since it compares within a shard.'),
                  },
                  { closed: true },
                ),
              ],
            },
            'shardId?': textSchema(),
            ...actionSchema,
          },
          { closed: true },
        ),
        example: { to: { at: 'trim_horizon' }, by: 'ada' },
      },
    },
  },
  responses: { 200: json('Its state after it.', ref('Subscription')) },
  problems: [404, 409],
}

export async function seek(call: Call): Promise<Response> {
  const body = await jsonBody(call, ['to', 'shardId', ...ACTION_FIELDS])
  const options = { ...actionOptions(body), ...defined({ shardId: text(body, 'shardId') }) }
  const name = call.path.name as string
  return jsonResponse(await call.server.operations.seekSubscription(name, seekPosition(body.to), options))
}

function seekPosition(to: unknown): SeekPosition {
  const kinds = ['trim_horizon', 'latest', 'at_timestamp', 'at_sequence_number'] as const
  const expected = `an object with "at": ${kinds.join(', ')}`
  if (!isObject(to)) throw new InvalidOptionError('to', expected, to)
  const at = required(choice(to, 'at', kinds), 'to.at', kinds.join(', '))
  onlyKnown(to, ['at', ...membersOf(at)], 'member to.')
  switch (at) {
    case 'at_timestamp':
      return { at, timestampMs: timestampMs(to) }
    case 'at_sequence_number':
      return { at, sequenceNumber: sequenceNumber(to) }
    case 'trim_horizon':
    case 'latest':
      return { at }
  }
}

function membersOf(at: SeekPosition['at']): readonly string[] {
  if (at === 'at_timestamp') return ['timestampMs']
  return at === 'at_sequence_number' ? ['sequenceNumber'] : []
}

function timestampMs(to: Fields): number {
  return required(
    integer(to, 'timestampMs', { min: 0, max: Number.MAX_SAFE_INTEGER }),
    'to.timestampMs',
    'epoch milliseconds',
  )
}

function sequenceNumber(to: Fields): string {
  const expected = 'the digits of a sequence number, as text'
  return required(
    text(to, 'sequenceNumber', { pattern: /^\d{1,129}$/, expected }),
    'to.sequenceNumber',
    expected,
  )
}
