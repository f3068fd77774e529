import type { Clock } from '../ports/clock.ts'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A random UUID (version 4, RFC 9562). Its chance is the clock's, so that a simulation can repeat it. */
export function randomUuid(clock: Pick<Clock, 'random'>): string {
  const a = word(clock)
  const b = word(clock)
  const c = word(clock)
  const d = word(clock)
  // The version is the third group's first digit, the variant the fourth group's first two bits.
  return `${hex4(a >>> 16)}${hex4(a)}-${hex4(b >>> 16)}-${hex4((b & 0x0fff) | 0x4000)}-${hex4(((c >>> 16) & 0x3fff) | 0x8000)}-${hex4(c)}${hex4(d >>> 16)}${hex4(d)}`
}

/** 32 random bits. */
function word(clock: Pick<Clock, 'random'>): number {
  return Math.floor(clock.random() * 2 ** 32) >>> 0
}

/** The lower 16 bits as 4 digits. Every event without an id gets one: tables are much faster than `toString(16)`. */
function hex4(bits: number): string {
  return `${HEX[(bits >>> 8) & 0xff]}${HEX[bits & 0xff]}`
}
