import { createHash } from 'node:crypto'

/** Digits of 64 characters that a schedule's name may have: of the queue, of the timer and of its time. */
const QUEUE_DIGITS = 12
const TIMER_DIGITS = 32

/** What all schedules of a queue begin with. */
export function queuePrefix(queue: string): string {
  return `q${hash(queue, QUEUE_DIGITS)}-`
}

/** What all schedules of a timer begin with. */
export function timerPrefix(queue: string, timer: string): string {
  return `${queuePrefix(queue)}${hash(timer, TIMER_DIGITS)}-`
}

/** The same for the same timer and second: sending it again changes nothing. */
export function scheduleName(queue: string, timer: string, dueAtMs: number): string {
  return `${timerPrefix(queue, timer)}${Math.floor(dueAtMs / 1_000).toString(36)}`
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}
