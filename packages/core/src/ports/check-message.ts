import { MAX_BODY_BYTES, MAX_MESSAGE_DELAY_MS, type QueueMessage } from './queue.ts'

const DAY_MS = 24 * 3_600_000

/** What is wrong with a message, in words; undefined: nothing. The same on every engine. */
export function messageProblem(message: QueueMessage, bodyBytes: number): string | undefined {
  const { body, delayMs, group, deduplicationId, deduplicationWindowMs, timer } = message
  if (typeof body !== 'string' || bodyBytes > MAX_BODY_BYTES)
    return `body: expected text of at most ${MAX_BODY_BYTES} bytes`
  if (!(delayMs >= 0 && delayMs <= MAX_MESSAGE_DELAY_MS))
    return 'delayMs: expected 0 to 365 days in milliseconds'
  if (group !== undefined && !isText(group, 256)) return 'group: expected 1 to 256 characters'
  if (group !== undefined && delayMs > 0)
    return 'delayMs: expected 0 beside a group, whose messages are delivered in the order they were sent'
  if (deduplicationId !== undefined && !isText(deduplicationId, 128))
    return 'deduplicationId: expected 1 to 128 characters'
  if (timer !== undefined && !isText(timer, 4_096)) return 'timer: expected 1 to 4096 characters'
  const windowMs = deduplicationWindowMs ?? 1_000
  if (!(windowMs >= 1_000 && windowMs <= DAY_MS))
    return 'deduplicationWindowMs: expected 1 second to 24 hours in milliseconds'
  return undefined
}

function isText(value: unknown, maxCharacters: number): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= maxCharacters
}
