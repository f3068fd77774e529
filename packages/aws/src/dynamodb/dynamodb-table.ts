import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import {
  type Blobs,
  type Clock,
  EngineClosedError,
  type Expect,
  InvalidOptionError,
  type ItemKey,
  type PutItem,
  partitionWidth,
  type QueryPage,
  type QueryRequest,
  StorageError,
  type Table,
  type TableItem,
  type TableValue,
  type WriteResult,
} from '@eddy/core'
import { isBrokenConnection, sdkErrorOf } from '../sdk/sdk-error.ts'
import { dynamoDbError } from './dynamodb-errors.ts'
import { LIVE, liveNow } from './query-input.ts'
import { countTable, type Item, type QueryParts, queryTable } from './query-table.ts'
import { loadValue, otherValueAttributes, overflowKey, storeValue } from './stored-value.ts'
import { INDEX_KEY, TableKeys } from './table-keys.ts'
import { TTL_ATTRIBUTE } from './table-schema.ts'

export interface DynamoDbTableOptions {
  /** With `maxAttempts: 1`: whoever calls the port tries again, and nobody else. */
  readonly client: DynamoDBClient
  /** Made by `dynamoDbTableSchema`. */
  readonly tableName: string
  readonly clock: Clock
  /** For values over 300,000 bytes. */
  readonly blobs: Blobs
  /**
   * Partitions of DynamoDB for each one of the port, 1 to 64: what is written much takes more than one. What is stored
   * depends on it. Default: `partitionWidth` of core.
   */
  readonly widthOf?: (partition: string) => number
}

const MAX_KEYS = 1_000
const MAX_BATCH_KEYS = 100
/** Of what a batch left unanswered, and of reads and writes that another writer was faster than. */
const MAX_TRIES = 8
const BATCH_WAIT_MS = 50

/**
 * The `Table` port on one DynamoDB table. Every write is a condition on one item.
 *
 * An item is `pk`, `sk`, its version `ver`, its value (stored-value.ts), `exp` in epoch milliseconds with `ttl` in seconds
 * beside it, and `ipk`, `isk` when it is to be found by its index. DynamoDB removes expired items within days; until then
 * they count as gone here. Reads of items are strongly consistent; the index lags behind.
 *
 * A write whose answer was lost may have been made: it rejects with a retryable `StorageError`, and a second one with the
 * same condition is refused with what stands there.
 */
export class DynamoDbTable implements Table {
  readonly #options: DynamoDbTableOptions
  readonly #keys: TableKeys
  readonly #query: QueryParts
  #closed = false

  constructor(options: DynamoDbTableOptions) {
    const { tableName, clock, widthOf = partitionWidth } = options
    this.#options = options
    this.#keys = new TableKeys(widthOf)
    this.#query = { tableName, clock, keys: this.#keys, send: (what, send) => this.#sendRead(what, send) }
  }

  /** Calls made from now on are refused. The client stays open. */
  close(): void {
    this.#closed = true
  }

  async get<V extends TableValue = TableValue>(key: ItemKey): Promise<TableItem<V> | undefined> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const { Item: item } = await this.#sendRead('GetItem', (client) =>
        client.send(
          new GetItemCommand({
            TableName: this.#table,
            Key: this.#keys.attributes(key),
            ConsistentRead: true,
          }),
        ),
      )
      const read = await this.#read(item)
      if (read !== 'replaced') return read as TableItem<V> | undefined
    }
    throw new StorageError('GetItem: the item is replaced faster than it can be read')
  }

  async getMany<V extends TableValue = TableValue>(
    keys: readonly ItemKey[],
  ): Promise<readonly (TableItem<V> | undefined)[]> {
    if (keys.length > MAX_KEYS) throw new InvalidOptionError('keys', `at most ${MAX_KEYS}`, keys.length)
    const found = new Map<string, TableItem>()
    const wanted = new Map(keys.map((key) => [nameOf(key), key]))
    const all = [...wanted.values()]
    const batches: Promise<readonly Item[]>[] = []
    for (let from = 0; from < all.length; from += MAX_BATCH_KEYS)
      batches.push(this.#batch(all.slice(from, from + MAX_BATCH_KEYS)))
    for (const items of await Promise.all(batches)) {
      for (const item of items) {
        const read = await this.#read(item)
        // By itself, should its value be replaced just now.
        const known = read === 'replaced' ? await this.get(this.#keys.read(item)) : read
        if (known !== undefined) found.set(nameOf(known), known)
      }
    }
    return keys.map((key) => found.get(nameOf(key)) as TableItem<V> | undefined)
  }

  async put<V extends TableValue = TableValue>(item: PutItem<V>, expect: Expect): Promise<WriteResult<V>> {
    this.#requireOpen()
    const attributes = await this.#attributesOf(item)
    try {
      const result =
        expect === 'any' ? await this.#putAny(item, attributes) : await this.#putIf(item, attributes, expect)
      if (!result.ok) await this.#forget(overflowKey(attributes))
      return result as WriteResult<V>
    } catch (error) {
      // What may have been written keeps its value; a throttle has written nothing, and may come again and again.
      if (!(error instanceof StorageError) || isThrottle(error)) await this.#forget(overflowKey(attributes))
      throw error
    }
  }

  async delete(key: ItemKey, expect: Exclude<Expect, 'absent'>): Promise<WriteResult> {
    const input = {
      TableName: this.#table,
      Key: this.#keys.attributes(key),
      ReturnValues: 'ALL_OLD' as const,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    }
    try {
      const { Attributes: old } = await this.#send('DeleteItem', (client) =>
        client.send(
          new DeleteItemCommand(
            expect === 'any'
              ? input
              : {
                  ...input,
                  ConditionExpression: `ver = :ver AND ${LIVE}`,
                  ExpressionAttributeValues: { ':ver': { N: String(expect) }, ...this.#now },
                },
          ),
        ),
      )
      await this.#forget(overflowKey(old))
      return { ok: true, version: old === undefined || !this.#isLive(old) ? 0 : versionOf(old) }
    } catch (error) {
      return await this.#refused(key, error)
    }
  }

  async query<V extends TableValue = TableValue>(request: QueryRequest): Promise<QueryPage<V>> {
    this.#requireOpen()
    const { items: found, next } = await queryTable(this.#query, request)
    const items = await Promise.all(
      found.map(async (item) => {
        const read = await this.#read(item)
        return read === 'replaced' ? await this.get(this.#keys.read(item)) : read
      }),
    )
    return { items: items.filter((item) => item !== undefined) as TableItem<V>[], next }
  }

  async count(partition: string, byIndex = false): Promise<number> {
    return await countTable(this.#query, partition, byIndex)
  }

  get #table(): string {
    return this.#options.tableName
  }

  get #now(): Item {
    return liveNow(this.#options.clock.now())
  }

  async #attributesOf({ value, expiresAtMs, index, ...key }: PutItem): Promise<Item> {
    const keys = {
      ...this.#keys.attributes(key),
      ...(index !== undefined && this.#keys.attributes(index, INDEX_KEY)),
    }
    const stored = await storeValue(value, this.#options.blobs)
    if (expiresAtMs === undefined) return { ...keys, ...stored }
    const seconds = Math.floor(expiresAtMs / 1_000) + 1
    return { ...keys, ...stored, exp: { N: String(expiresAtMs) }, [TTL_ATTRIBUTE]: { N: String(seconds) } }
  }

  async #putIf(item: PutItem, attributes: Item, expect: 'absent' | number): Promise<WriteResult> {
    const version = expect === 'absent' ? 1 : expect + 1
    try {
      const { Attributes: old } = await this.#send('PutItem', (client) =>
        client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: { ...attributes, ver: { N: String(version) } },
            ConditionExpression:
              expect === 'absent' ? `attribute_not_exists(pk) OR exp < :now` : `ver = :ver AND ${LIVE}`,
            ExpressionAttributeValues: {
              ...this.#now,
              ...(expect !== 'absent' && { ':ver': { N: String(expect) } }),
            },
            ReturnValues: 'ALL_OLD',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
      await this.#forget(overflowKey(old))
      return { ok: true, version }
    } catch (error) {
      return await this.#refused(item, error)
    }
  }

  /** An update raises the version of what is there; an expired item is replaced by a new one instead. */
  async #putAny(item: PutItem, attributes: Item): Promise<WriteResult> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      try {
        const { Attributes: old } = await this.#send('UpdateItem', (client) =>
          client.send(new UpdateItemCommand(this.#updateInput(attributes))),
        )
        await this.#forget(overflowKey(old))
        return { ok: true, version: old === undefined ? 1 : versionOf(old) + 1 }
      } catch (error) {
        if (!isConditionFailure(error)) throw error
      }
      const created = await this.#putIf(item, attributes, 'absent')
      if (created.ok) return created
    }
    throw new StorageError('UpdateItem: the item expires and comes back faster than it can be written')
  }

  #updateInput(attributes: Item) {
    const { pk, sk, ...set } = attributes
    const names = Object.keys(set)
    const gone = [
      ...otherValueAttributes(attributes),
      ...['exp', TTL_ATTRIBUTE, 'ipk', 'isk'].filter((name) => attributes[name] === undefined),
    ]
    const alias = Object.fromEntries([...names, ...gone].map((name) => [`#${name}`, name]))
    return {
      TableName: this.#table,
      Key: { pk: pk as AttributeValue, sk: sk as AttributeValue },
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} REMOVE ${gone
        .map((name) => `#${name}`)
        .join(', ')} ADD ver :one`,
      ConditionExpression: `attribute_not_exists(pk) OR ${LIVE}`,
      ExpressionAttributeNames: alias,
      ExpressionAttributeValues: {
        ...Object.fromEntries(names.map((name) => [`:${name}`, set[name] as AttributeValue])),
        ...this.#now,
        ':one': { N: '1' },
      },
      ReturnValues: 'ALL_OLD' as const,
    }
  }

  /** @throws what is no refused condition */
  async #refused(key: ItemKey, error: unknown): Promise<WriteResult> {
    if (!isConditionFailure(error)) throw error
    // The service sends the item along; where it does not (an emulator, say), it is read.
    const { Item: item } = error
    const read = item === undefined ? 'replaced' : await this.#read(item)
    return { ok: false, current: read === 'replaced' ? await this.get(key) : read }
  }

  async #batch(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const { clock } = this.#options
    const items: Item[] = []
    let open = keys.map((key) => this.#keys.attributes(key))
    for (let tries = 1; open.length > 0; tries += 1) {
      if (tries > MAX_TRIES) throw new StorageError(`BatchGetItem: ${open.length} keys stay unanswered`)
      if (tries > 1) await clock.sleep(clock.random() * BATCH_WAIT_MS * 2 ** (tries - 1))
      const answer = await this.#sendRead('BatchGetItem', (client) =>
        client.send(
          new BatchGetItemCommand({ RequestItems: { [this.#table]: { Keys: open, ConsistentRead: true } } }),
        ),
      )
      items.push(...(answer.Responses?.[this.#table] ?? []))
      open = answer.UnprocessedKeys?.[this.#table]?.Keys ?? []
    }
    return items
  }

  /** Undefined: there is none, or it has expired. `replaced`: its value went while it was read. */
  async #read(item: Item | undefined): Promise<TableItem | undefined | 'replaced'> {
    if (item === undefined || !this.#isLive(item)) return undefined
    const value = await loadValue(item, this.#options.blobs)
    if (value === undefined) return 'replaced'
    return {
      ...this.#keys.read(item),
      version: versionOf(item),
      value,
      ...(item.exp?.N !== undefined && { expiresAtMs: Number(item.exp.N) }),
      ...(item.ipk !== undefined && { index: this.#keys.read(item, INDEX_KEY) }),
    }
  }

  #isLive(item: Item): boolean {
    return item.exp?.N === undefined || Number(item.exp.N) >= this.#options.clock.now()
  }

  /** A blob that nothing refers to any more. One that stays costs storage and nothing else. */
  async #forget(key: string | undefined): Promise<void> {
    if (key === undefined) return
    await this.#options.blobs.delete(key).catch(() => {})
  }

  #requireOpen(): void {
    if (this.#closed) throw new EngineClosedError()
  }

  /**
   * Once more on a new connection, where the old one broke: one that was kept goes while nobody looks, such as that of a
   * function that was frozen. A write may have been made: whoever makes it looks first.
   */
  async #sendRead<Output>(what: string, send: (client: DynamoDBClient) => Promise<Output>): Promise<Output> {
    return await this.#send(what, async (client) => {
      try {
        return await send(client)
      } catch (error) {
        if (!isBrokenConnection(error)) throw error
        return await send(client)
      }
    })
  }

  async #send<Output>(what: string, send: (client: DynamoDBClient) => Promise<Output>): Promise<Output> {
    this.#requireOpen()
    const { client, tableName } = this.#options
    try {
      return await send(client)
    } catch (error) {
      if (isConditionFailure(error)) throw error
      throw dynamoDbError(error, `${what} on table "${tableName}"`)
    }
  }
}

function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof ConditionalCheckFailedException
}

function isThrottle({ cause }: StorageError): boolean {
  return sdkErrorOf(cause).kind === 'throttled'
}

function versionOf(item: Item): number {
  return Number(item.ver?.N ?? 0)
}

function nameOf({ partition, sort }: ItemKey): string {
  return JSON.stringify([partition, sort])
}
