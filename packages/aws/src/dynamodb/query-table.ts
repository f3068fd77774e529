import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import { type Clock, InvalidOptionError, type QueryRequest } from '@eddy/core'
import { checkLimit, rangeInput, readToken, writeToken } from './query-input.ts'
import { compareSorts, INDEX_KEY, ITEM_KEY, readSort, type TableKeys } from './table-keys.ts'

export type Item = Record<string, AttributeValue>

export interface QueryParts {
  readonly tableName: string
  readonly keys: TableKeys
  readonly clock: Clock
  send<Output>(what: string, send: (client: DynamoDBClient) => Promise<Output>): Promise<Output>
}

/** Of each of several partitions, where a page has enough anyway. */
const LEAST_SHARE = 20
/** Hashing is not even. */
const SHARE_MARGIN = 1.5

interface Found {
  readonly items: readonly Item[]
  /** Read up to here, and there may be more. Undefined: to the end. */
  readonly last: Item | undefined
}

/**
 * A page of a partition. One that lies in several of DynamoDB is asked in all of them at once, and what they have is
 * merged as far as all of them were read: so a page may be short. The token is the key of one item; since items of one sort
 * key are in one place, the others go on from its sort key.
 *
 * @throws InvalidOptionError
 */
export async function queryTable(
  parts: QueryParts,
  request: QueryRequest,
): Promise<{ readonly items: readonly Item[]; readonly next: string | undefined }> {
  const { partition, byIndex = false, descending = false, limit, after } = request
  checkLimit(limit)
  const places = parts.keys.partitionsOf(partition)
  const names = byIndex ? INDEX_KEY : ITEM_KEY
  const from = after === undefined ? undefined : readToken(after)
  if (from !== undefined && !places.includes(from[names.partition]?.S ?? ''))
    throw new InvalidOptionError('after', '`next` of a page of this partition', after)
  const share = shareOf(limit + 1, places.length)
  const all = await Promise.all(places.map((place) => queryPlace(parts, request, { place, from, share })))
  const sortOf = (item: Item): string => item[names.sort]?.S ?? ''
  const order = (a: Item, b: Item): number => compareSorts(sortOf(a), sortOf(b)) * (descending ? -1 : 1)
  const horizon = all
    .map(({ last }) => last)
    .filter((last) => last !== undefined)
    .sort(order)[0]
  const known = all.flatMap(({ items }) => items).sort(order)
  const sure = horizon === undefined ? known : known.filter((item) => order(item, horizon) <= 0)
  const items = sure.slice(0, limit)
  const end = sure.length > limit ? keysOf(items.at(-1) as Item, byIndex) : horizon
  return { items, next: end === undefined ? undefined : writeToken(end) }
}

/** Items in all places of a partition, without their values. */
export async function countTable(parts: QueryParts, partition: string, byIndex: boolean): Promise<number> {
  const places = parts.keys.partitionsOf(partition)
  const counts = await Promise.all(
    places.map(async (place) => {
      let count = 0
      let after: Item | undefined
      do {
        const input = rangeInput(parts.tableName, { place, byIndex }, parts.clock.now())
        const page = await parts.send('Query', (client) =>
          client.send(
            new QueryCommand({
              ...(input as NonNullable<typeof input>),
              Select: 'COUNT',
              ...(after !== undefined && { ExclusiveStartKey: after }),
            }),
          ),
        )
        count += page.Count ?? 0
        after = page.LastEvaluatedKey
      } while (after !== undefined)
      return count
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function queryPlace(
  { tableName, clock, send }: QueryParts,
  { byIndex = false, descending = false, ...bounds }: QueryRequest,
  { place, from: after, share }: { place: string; from: Item | undefined; share: number },
): Promise<Found> {
  const names = byIndex ? INDEX_KEY : ITEM_KEY
  const isAfterHere = after?.[names.partition]?.S === place
  const reached = after === undefined || isAfterHere ? undefined : readSort(after[names.sort]?.S ?? '')
  const from = descending ? bounds.from : furthest(bounds.from, reached, 1)
  const to = descending ? furthest(bounds.to, reached, -1) : bounds.to
  const input = rangeInput(
    tableName,
    { place, byIndex, ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
    clock.now(),
  )
  if (input === undefined) return { items: [], last: undefined }
  const { Items: items = [], LastEvaluatedKey: last } = await send('Query', (client) =>
    client.send(
      new QueryCommand({
        ...input,
        ScanIndexForward: !descending,
        Limit: share,
        ...(isAfterHere && { ExclusiveStartKey: after }),
      }),
    ),
  )
  return { items, last }
}

/** Of two bounds the one that leaves less; `direction` 1: of two lower ones. */
function furthest(
  bound: string | undefined,
  reached: string | undefined,
  direction: 1 | -1,
): string | undefined {
  if (bound === undefined || reached === undefined) return bound ?? reached
  return compareSorts(bound, reached) * direction > 0 ? bound : reached
}

/** One item more than asked for tells that there is a next page without an empty one at the end. */
function shareOf(wanted: number, places: number): number {
  if (places === 1) return wanted
  return Math.min(wanted, Math.max(LEAST_SHARE, Math.ceil((wanted / places) * SHARE_MARGIN)))
}

/** What a query goes on after: the item's key, and the index's where that was asked. */
function keysOf(item: Item, byIndex: boolean): Item {
  const names = byIndex ? ['pk', 'sk', 'ipk', 'isk'] : ['pk', 'sk']
  return Object.fromEntries(names.map((name) => [name, item[name] as AttributeValue]))
}
