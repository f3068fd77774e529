import { randomUUID } from 'node:crypto'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import {
  type Blobs,
  type BytesInValue,
  CorruptDataError,
  putBytesBack,
  type TableValue,
  takeBytesOut,
} from '@eddy/core'

/**
 * How a value lies in an item: `v` is its JSON, with null where bytes belong, `b` the bytes, each a list of its path and
 * its content. What would bring the item near DynamoDB's 400 KB lies in a blob instead, whose key is `o`.
 */
const MAX_INLINE_BYTES = 300_000
const PREFIX = 'table/'
const VALUE_ATTRIBUTES: readonly string[] = ['v', 'b', 'o']

type Attributes = Readonly<Record<string, AttributeValue>>

/** Attributes of a value. A large one is in its blob when this resolves: no item is there without its value (I2). */
export async function storeValue(value: TableValue, blobs: Blobs): Promise<Attributes> {
  const { json, found } = takeBytesOut(value)
  const bytes =
    Buffer.byteLength(json) + found.reduce((sum, part) => sum + part.bytes.length + part.path.length, 0)
  if (bytes <= MAX_INLINE_BYTES) return inline(json, found)
  const key = `${PREFIX}${randomUUID()}`
  await blobs.put(
    key,
    Buffer.from(JSON.stringify([json, ...found.map(({ path, bytes: part }) => [path, base64(part)])])),
  )
  return { o: { S: key } }
}

function inline(json: string, found: readonly BytesInValue[]): Attributes {
  if (found.length === 0) return { v: { S: json } }
  const parts = found.map(({ path, bytes }): AttributeValue => ({ L: [{ S: path }, { B: bytes }] }))
  return { v: { S: json }, b: { L: parts } }
}

/** Undefined: the item's blob is gone, since another value has taken its place meanwhile. */
export async function loadValue(item: Attributes, blobs: Blobs): Promise<TableValue | undefined> {
  const key = overflowKey(item)
  if (key === undefined) {
    const parts = (item.b?.L ?? []).map((part): BytesInValue => {
      const [path, bytes] = part.L ?? []
      return { path: path?.S ?? '', bytes: new Uint8Array(bytes?.B ?? []) }
    })
    return assembled(item.v?.S, parts)
  }
  const content = await blobs.get(key)
  if (content === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  const [json, ...parts] = JSON.parse(Buffer.concat(chunks).toString('utf8')) as [
    string,
    ...[string, string][],
  ]
  return assembled(
    json,
    parts.map(([path, text]) => ({ path, bytes: new Uint8Array(Buffer.from(text, 'base64')) })),
  )
}

/** The blob that an item's value lies in; to be deleted once the item has another value or is gone. */
export function overflowKey(item: Attributes | undefined): string | undefined {
  return item?.o?.S
}

/** Those of `VALUE_ATTRIBUTES` that the new attributes have not: an update takes them away. */
export function otherValueAttributes(attributes: Attributes): readonly string[] {
  return VALUE_ATTRIBUTES.filter((name) => attributes[name] === undefined)
}

function assembled(json: string | undefined, parts: readonly BytesInValue[]): TableValue {
  if (json === undefined) throw new CorruptDataError('a DynamoDB item', 'it has no value')
  let value = JSON.parse(json) as TableValue
  for (const part of parts) value = putBytesBack(value, part)
  return value
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
