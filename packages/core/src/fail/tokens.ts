import { StorageError } from '../errors/engine-errors.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { Clock } from '../ports/clock.ts'
import type { Queue, QueueMessage, SendResult } from '../ports/queue.ts'
import { JoinedCalls } from './joined-calls.ts'
import { keys } from './keys.ts'
import type { Lane } from './lane.ts'

/**
 * What the retry queue carries: timers, never events. `lane`: look whether the lane's next waiting event is due.
 * `item`: look whether this failure is due. A repeated, late or pointless token does no harm.
 */
export type Token = ({ readonly kind: 'lane' } & Lane) | { readonly kind: 'item'; readonly id: string }

/** Longer waits are cut into pieces: the holder of an early token looks and gives it back. */
const MAX_DELAY_MS = 365 * 24 * 3_600_000
/** Tokens sent, or acknowledged, in one call. */
const MAX_JOINED = 500

export class Tokens {
  readonly #clock: Clock
  readonly #sends: JoinedCalls<QueueMessage, SendResult>
  readonly #acks: JoinedCalls<string, void>
  readonly #queue: Queue
  readonly queueName: string

  constructor(queue: Queue, clock: Clock, subscription: string) {
    this.#clock = clock
    this.#queue = queue
    this.queueName = keys.retryQueue(subscription)
    this.#sends = new JoinedCalls((messages) => queue.send(this.queueName, messages), MAX_JOINED)
    this.#acks = new JoinedCalls<string, void>(async (receipts) => {
      await queue.ack(this.queueName, receipts)
      return []
    }, MAX_JOINED)
  }

  /** @throws StorageError, retryable, when the queue did not take it */
  async send(token: Token, dueAtMs: number | undefined): Promise<void> {
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, (dueAtMs ?? 0) - this.#clock.now()))
    const body = textOf(token)
    const result = await this.#sends.add({ body, delayMs, timer: body })
    if (!result.ok) throw new StorageError(`the retry queue did not take a message: ${result.message}`)
  }

  /**
   * An item came to its end before it was due: what was to remind of it, or of its lane for its sake, is good for nothing.
   * Nobody waits for this, and nothing rests on it: one token too many does no harm, one too few the sweeper sends.
   */
  cancel(item: LedgerItem): void {
    for (const token of [itemToken(item), laneToken(item)])
      this.#queue.cancel?.(this.queueName, textOf(token)).catch(() => {})
  }

  /** The token that was received so is done with. */
  async ack(receipt: string): Promise<void> {
    await this.#acks.add(receipt)
  }
}

export function itemToken(item: Pick<LedgerItem, 'id'>): Token {
  return { kind: 'item', id: item.id }
}

export function laneToken(lane: Lane): Token {
  return {
    kind: 'lane',
    key: lane.key,
    ...(lane.explicitHashKey !== undefined && { explicitHashKey: lane.explicitHashKey }),
  }
}

/** JSON in ASCII: a key is of any characters, and services differ in which of them a message may have. */
function textOf(token: Token): string {
  return JSON.stringify(token).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Undefined for a body that no version of Eddy wrote. */
export function parseToken(body: string): Token | undefined {
  try {
    const token = JSON.parse(body) as Token
    if (token.kind === 'item') return typeof token.id === 'string' ? token : undefined
    if (token.kind === 'lane') return typeof token.key === 'string' ? token : undefined
    return undefined
  } catch {
    return undefined
  }
}
