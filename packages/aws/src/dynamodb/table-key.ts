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

/** @throws InvalidOptionError */
export function keyAttributes(
  { partition, sort }: ItemKey,
  names: KeyNames = ITEM_KEY,
): Record<string, AttributeValue> {
  return { [names.partition]: { S: partitionText(partition) }, [names.sort]: { S: sortText(sort) } }
}

/** @throws InvalidOptionError */
export function partitionText(partition: string): string {
  if (typeof partition !== 'string' || partition === '')
    throw new InvalidOptionError('partition', 'a text that is not empty', partition)
  return within('partition', partition, MAX_PARTITION_BYTES)
}

/** @throws InvalidOptionError */
export function sortText(sort: string): string {
  if (sort === '') return EMPTY_SORT
  if (sort === EMPTY_SORT) throw new InvalidOptionError('sort', 'more than a NUL character', sort)
  return within('sort', sort, MAX_SORT_BYTES)
}

/** @throws TypeError for an item without these names: the table is not one of ours */
export function readKey(item: Readonly<Record<string, AttributeValue>>, names: KeyNames = ITEM_KEY): ItemKey {
  const partition = item[names.partition]?.S
  const sort = item[names.sort]?.S
  if (partition === undefined || sort === undefined) throw new TypeError('an item without its key')
  return { partition, sort: sort === EMPTY_SORT ? '' : sort }
}

function within(option: string, text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new InvalidOptionError(option, `at most ${maxBytes} bytes of UTF-8`, `${bytes} bytes`)
  return text
}
