import { CorruptDataError } from '../errors/engine-errors.ts'

export { ResolvedMap } from './resolved-map.ts'

/**
 * The checkpoint's resolved map: which records above the lowest unresolved one are resolved already (I2), so that
 * after a crash exactly the unresolved ones come again.
 *
 * Records are counted by ordinal from the base record on. The map is written as alternating run lengths, unresolved
 * first: `[1, 3, 2, 5]` is one unresolved record, three resolved, two unresolved, five resolved; all after is
 * unresolved. Only the first run may be 0.
 */

/** Runs a map may have; a checkpoint of so many is over 256 KiB, far past any bound of intake. */
const MAX_RUNS = 262_144
/** A format character, the runs as variable-length integers in base64url, two checksum characters. */
const FORMAT = 'A'
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const DIGITS: ReadonlyMap<string, number> = new Map([...ALPHABET].map((letter, digit) => [letter, digit]))

/**
 * Short text for a checkpoint item; a map of 2,000 single records takes about 2.7 KB.
 * @throws RangeError on runs that no map can have: a bug, not bad input
 */
export function encodeRuns(runs: readonly number[]): string {
  const problem = problemOf(runs)
  if (problem !== undefined) throw new RangeError(`resolved runs: ${problem}`)
  const bytes: number[] = []
  for (const run of runs) pushVarint(bytes, run)
  const body = FORMAT + toBase64Url(bytes)
  return body + checksum(body)
}

/** @throws CorruptDataError on anything `encodeRuns` did not write */
export function decodeRuns(text: string): number[] {
  if (typeof text !== 'string' || text.length < 3) throw corrupt('it is too short')
  const body = text.slice(0, -2)
  if (body[0] !== FORMAT) throw corrupt('its format is unknown')
  if (checksum(body) !== text.slice(-2)) throw corrupt('its checksum does not match')
  const runs = readVarints(fromBase64Url(body.slice(1)))
  const problem = problemOf(runs)
  if (problem !== undefined) throw corrupt(problem)
  return runs
}

function problemOf(runs: readonly number[]): string | undefined {
  if (runs.length > MAX_RUNS) return `${runs.length} runs are over the limit of ${MAX_RUNS}`
  let total = 0
  for (let index = 0; index < runs.length; index += 1) {
    const run = runs[index] as number
    if (!Number.isSafeInteger(run) || run < (index === 0 ? 0 : 1)) return `run ${index} is ${run}`
    total += run
    if (!Number.isSafeInteger(total)) return 'the runs add up to more than an ordinal holds'
  }
  return undefined
}

/** Seven bits a byte, lowest first. Arithmetic instead of shifts, since a run may be over 2^31. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

function readVarints(bytes: readonly number[]): number[] {
  const runs: number[] = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte % 128) * scale
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt('a run is larger than an ordinal')
    if (byte >= 128) {
      scale *= 128
      if (scale > 2 ** 49) throw corrupt('a run is longer than 8 bytes')
      continue
    }
    if (byte === 0 && scale > 1) throw corrupt('a run has needless bytes')
    runs.push(value)
    value = 0
    scale = 1
  }
  if (scale > 1) throw corrupt('its last run is cut off')
  return runs
}

function toBase64Url(bytes: readonly number[]): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index
    const group =
      ((bytes[index] as number) << 16) |
      ((left > 1 ? (bytes[index + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[index + 2] as number) : 0)
    for (let digit = 0; digit < Math.min(4, left + 1); digit += 1) {
      text += ALPHABET[(group >>> (18 - 6 * digit)) & 63]
    }
  }
  return text
}

function fromBase64Url(text: string): number[] {
  if (text.length % 4 === 1) throw corrupt('its length is impossible')
  const bytes: number[] = []
  let bits = 0
  let bitCount = 0
  for (const letter of text) {
    const digit = DIGITS.get(letter)
    if (digit === undefined) throw corrupt('it holds a foreign character')
    bits = (bits << 6) | digit
    bitCount += 6
    if (bitCount >= 8) {
      bitCount -= 8
      bytes.push(bits >>> bitCount)
      bits &= (1 << bitCount) - 1
    }
  }
  if (bits !== 0) throw corrupt('it has bits after its end')
  return bytes
}

/** 12 bits over the text, as two letters. */
function checksum(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  const folded = (hash ^ (hash >>> 12) ^ (hash >>> 24)) & 0xfff
  return (ALPHABET[folded >>> 6] as string) + ALPHABET[folded & 63]
}

function corrupt(problem: string): CorruptDataError {
  return new CorruptDataError("a checkpoint's resolved map", problem)
}
