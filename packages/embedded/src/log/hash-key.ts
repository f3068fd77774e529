import { InvalidOptionError } from '@eddy/core'

/*
 * Hash keys are 128-bit integers. Outside they are decimal strings, as in Kinesis; inside 32 lower-case hex digits,
 * which compare like the numbers, so that placing a record needs no BigInt.
 */

const HASH_KEY_SPACE = 1n << 128n
const HIGHEST_HASH_KEY = 'f'.repeat(32)

/** Undefined when the text is not a decimal integer from 0 to 2^128 - 1 without leading zeros. */
export function parseHashKey(decimal: string): string | undefined {
  if (!/^(0|[1-9]\d{0,38})$/.test(decimal)) return undefined
  const value = BigInt(decimal)
  return value < HASH_KEY_SPACE ? toHex(value) : undefined
}

/** @throws InvalidOptionError */
export function requireHashKey(option: string, decimal: string): string {
  const hex = parseHashKey(decimal)
  if (hex === undefined) {
    throw new InvalidOptionError(option, 'a decimal integer from 0 to 2^128 - 1', decimal)
  }
  return hex
}

export function hashKeyToDecimal(hex: string): string {
  return BigInt(`0x${hex}`).toString()
}

/** The hash key one below; `hex` must not be the lowest. */
export function hashKeyBefore(hex: string): string {
  return toHex(BigInt(`0x${hex}`) - 1n)
}

/** `count` equal inclusive ranges over the whole space; the last takes the remainder, as in Kinesis. */
export function equalHashRanges(count: number): { startHex: string; endHex: string }[] {
  const width = HASH_KEY_SPACE / BigInt(count)
  return Array.from({ length: count }, (_, i) => ({
    startHex: toHex(BigInt(i) * width),
    endHex: i === count - 1 ? HIGHEST_HASH_KEY : toHex(BigInt(i + 1) * width - 1n),
  }))
}

function toHex(value: bigint): string {
  return value.toString(16).padStart(32, '0')
}
