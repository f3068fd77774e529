import type { Clock } from '../ports/clock.ts'

/** A random UUID (version 4, RFC 9562). Its chance is the clock's, so that a simulation can repeat it. */
export function randomUuid(clock: Pick<Clock, 'random'>): string {
  const a = word(clock)
  const b = word(clock)
  const c = word(clock)
  const d = word(clock)
  const version = `4${b.slice(5)}`
  const variant = `${'89ab'[Number.parseInt(c.slice(0, 1), 16) & 3]}${c.slice(1, 4)}`
  return `${a}-${b.slice(0, 4)}-${version}-${variant}-${c.slice(4)}${d}`
}

function word(clock: Pick<Clock, 'random'>): string {
  return Math.floor(clock.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
