import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidOptionError, type ItemKey } from '@eddy/core'

/** DynamoDB: a partition key of up to 2,048 bytes, a sort key of up to 1,024, neither empty. */
const MAX_PARTITION_BYTES = 2_048
const MAX_SORT_BYTES = 1_024
/** Stands for the empty sort key, which DynamoDB has not. Sorts before all others, as it should. */
const EMPTY_SORT = '\u0000'

export type KeyNames = { readonly partition: 'pk' | 'ipk'; readonly sort: 'sk' | 'isk' }

export const ITEM_KEY: KeyNames = { partition: 'pk', sort: 'sk' }
export const INDEX_KEY: KeyNames = { partition: 'ipk', sort: 'isk' }

/**
 * Keys of items as DynamoDB has them. It gives each partition 1,000 units of writes a second and no more, so the items of
 * a wide partition lie in several of its own: `hold/charge#3`, by a hash of their sort key. Items of one sort key are
 * always in the same one, in the index too.
 */
export class TableKeys {
  readonly #widthOf: (partition: string) => number

  /** @param widthOf - partitions of DynamoDB for one of the port; part of what is stored: never change it for a table */
  constructor(widthOf: (partition: string) => number) {
    this.#widthOf = widthOf
  }

  /** @throws InvalidOptionError */
  attributes(key: ItemKey, names: KeyNames = ITEM_KEY): Record<string, AttributeValue> {
    const partitions = this.partitionsOf(key.partition)
    const place = partitions[hashOf(key.sort) % partitions.length] as string
    return { [names.partition]: { S: place }, [names.sort]: { S: sortText(key.sort) } }
  }

  /** @throws TypeError for an item without these names: the table is not one of ours */
  read(item: Readonly<Record<string, AttributeValue>>, names: KeyNames = ITEM_KEY): ItemKey {
    const place = item[names.partition]?.S
    const sort = item[names.sort]?.S
    if (place === undefined || sort === undefined) throw new TypeError('an item without its key')
    const partition = this.#widthOf(place) === 1 ? place : place.slice(0, place.lastIndexOf('#'))
    return { partition, sort: readSort(sort) }
  }

  /**
   * Where the items of a partition are.
   * @throws InvalidOptionError
   */
  partitionsOf(partition: string): readonly string[] {
    if (typeof partition !== 'string' || partition === '')
      throw new InvalidOptionError('partition', 'a text that is not empty', partition)
    const width = this.#widthOf(partition)
    const places = width === 1 ? [partition] : Array.from({ length: width }, (_, at) => `${partition}#${at}`)
    within('partition', places.at(-1) as string, MAX_PARTITION_BYTES)
    return places
  }
}

/** @throws InvalidOptionError */
export function sortText(sort: string): string {
  if (sort === '') return EMPTY_SORT
  if (sort === EMPTY_SORT) throw new InvalidOptionError('sort', 'more than a NUL character', sort)
  return within('sort', sort, MAX_SORT_BYTES)
}

export function readSort(stored: string): string {
  return stored === EMPTY_SORT ? '' : stored
}

/** In the order of DynamoDB: by UTF-8 bytes. */
export function compareSorts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function within(option: string, text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new InvalidOptionError(option, `at most ${maxBytes} bytes of UTF-8`, `${bytes} bytes`)
  return text
}

/** FNV-1a of the UTF-16 units, its halves folded: neighbours such as shard ids come apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
  return (hash ^ (hash >>> 16)) & 0xffff
}
