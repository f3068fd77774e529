import { InvalidOptionError } from '../errors/request-errors.ts'
import { compareSequence } from './position.ts'

/**
 * Hash keys place records in shards, as in Kinesis: the MD5 of the partition key as a 128-bit integer, written in
 * decimal. This file is for operators and checks; an engine's append path has arithmetic of its own.
 */
export interface HashKeyRange {
  /** Both bounds are included. */
  readonly startingHashKey: string
  readonly endingHashKey: string
}

const SPACE = 1n << 128n

/** 2^128 - 1. */
export const MAX_HASH_KEY: string = (SPACE - 1n).toString()

/** True for a decimal integer from 0 to 2^128 - 1 without leading zeros. */
export function isHashKey(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^(?:0|[1-9]\d{0,38})$/.test(value) &&
    compareSequence(value, MAX_HASH_KEY) <= 0
  )
}

/** @throws InvalidOptionError when `hex` is not 32 hex digits */
export function hashKeyFromHex(hex: string): string {
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new InvalidOptionError('hash key', '32 hex digits', hex)
  return BigInt(`0x${hex}`).toString()
}

/** @throws InvalidOptionError when `hashKey` is not a hash key */
export function hashKeyToHex(hashKey: string): string {
  return parse(hashKey).toString(16).padStart(32, '0')
}

/**
 * Ranges of `count` equal shards: each as wide as the space divided by `count`, rounded down; the last takes the rest.
 * @param count - 1 to 1,024
 * @throws InvalidOptionError
 */
export function equalShardRanges(count: number): readonly HashKeyRange[] {
  if (!Number.isInteger(count) || count < 1 || count > 1_024) {
    throw new InvalidOptionError('shard count', 'an integer from 1 to 1024', count)
  }
  const width = SPACE / BigInt(count)
  return Array.from({ length: count }, (_, index) => ({
    startingHashKey: (width * BigInt(index)).toString(),
    endingHashKey: (index === count - 1 ? SPACE - 1n : width * BigInt(index + 1) - 1n).toString(),
  }))
}

export function shardRangeContains(range: HashKeyRange, hashKey: string): boolean {
  return (
    compareSequence(hashKey, range.startingHashKey) >= 0 && compareSequence(hashKey, range.endingHashKey) <= 0
  )
}

/**
 * Where the upper half of a range starts: the `newStartingHashKey` of an even split.
 * @returns undefined when the range holds a single key
 */
export function midpointHashKey(range: HashKeyRange): string | undefined {
  const start = parse(range.startingHashKey)
  const end = parse(range.endingHashKey)
  if (end <= start) return undefined
  return (start + (end - start + 1n) / 2n).toString()
}

/** True when `upper` starts where `lower` ends: two such shards can be merged. */
export function rangesAdjoin(lower: HashKeyRange, upper: HashKeyRange): boolean {
  return parse(lower.endingHashKey) + 1n === parse(upper.startingHashKey)
}

function parse(hashKey: string): bigint {
  if (isHashKey(hashKey)) return BigInt(hashKey)
  throw new InvalidOptionError('hash key', 'a decimal integer from 0 to 2^128 - 1', hashKey)
}
