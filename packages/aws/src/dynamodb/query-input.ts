import type { AttributeValue, QueryCommandInput } from '@aws-sdk/client-dynamodb'
import { InvalidOptionError, type QueryRequest } from '@eddy/core'
import { compareSorts, INDEX_KEY, ITEM_KEY, sortText } from './table-keys.ts'
import { INDEX_NAME } from './table-schema.ts'

const MAX_LIMIT = 1_000

/** True for an item that has not expired; `:now` is `liveNow`. */
export const LIVE = '(attribute_not_exists(exp) OR exp >= :now)'

export function liveNow(nowMs: number): Record<string, AttributeValue> {
  return { ':now': { N: String(nowMs) } }
}

/** One partition of DynamoDB, by key or by index, between bounds that belong to it. */
export interface RangeRequest extends Pick<QueryRequest, 'byIndex' | 'from' | 'to'> {
  readonly place: string
}

/** @throws InvalidOptionError */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new InvalidOptionError('limit', `a whole number from 1 to ${MAX_LIMIT}`, limit)
}

/** Undefined: the bounds exclude everything, which DynamoDB refuses to be asked. */
export function rangeInput(
  tableName: string,
  { place, byIndex = false, from, to }: RangeRequest,
  nowMs: number,
): QueryCommandInput | undefined {
  if (from !== undefined && to !== undefined && compareSorts(from, to) > 0) return undefined
  const names = byIndex ? INDEX_KEY : ITEM_KEY
  const range = rangeCondition(from, to)
  return {
    TableName: tableName,
    ...(byIndex ? { IndexName: INDEX_NAME } : { ConsistentRead: true }),
    KeyConditionExpression: `#partition = :partition${range}`,
    FilterExpression: LIVE,
    ExpressionAttributeNames: {
      '#partition': names.partition,
      ...(range !== '' && { '#sort': names.sort }),
    },
    ExpressionAttributeValues: {
      ':partition': { S: place },
      ...liveNow(nowMs),
      ...(from !== undefined && { ':from': { S: sortText(from) } }),
      ...(to !== undefined && { ':to': { S: sortText(to) } }),
    },
  }
}

/** Where a query goes on, as text for its caller. */
export function writeToken(key: Readonly<Record<string, AttributeValue>>): string {
  const texts = Object.entries(key).map(([name, value]) => [name, value.S])
  return Buffer.from(JSON.stringify(texts)).toString('base64url')
}

/** @throws InvalidOptionError for what `writeToken` did not write */
export function readToken(token: string): Record<string, AttributeValue> {
  try {
    const texts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as [string, string][]
    return Object.fromEntries(texts.map(([name, text]) => [name, { S: text }]))
  } catch {
    throw new InvalidOptionError('after', '`next` of the page before', token)
  }
}

function rangeCondition(from: string | undefined, to: string | undefined): string {
  if (from !== undefined && to !== undefined) return ' AND #sort BETWEEN :from AND :to'
  if (from !== undefined) return ' AND #sort >= :from'
  return to === undefined ? '' : ' AND #sort <= :to'
}
