import { StorageError } from '../errors/engine-errors.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { Clock } from '../ports/clock.ts'
import type { Queue } from '../ports/queue.ts'
import { keys } from './keys.ts'
import type { Lane } from './lane.ts'

/**
 * What the retry queue carries: timers, never events. `lane`: look whether the lane's next waiting event is due.
 * `item`: look whether this failure is due. A repeated, late or pointless token does no harm.
 */
export type Token = ({ readonly kind: 'lane' } & Lane) | { readonly kind: 'item'; readonly id: string }

/** Longer waits are cut into pieces: the holder of an early token looks and gives it back. */
const MAX_DELAY_MS = 365 * 24 * 3_600_000

export class Tokens {
  readonly #queue: Queue
  readonly #clock: Clock
  readonly queueName: string

  constructor(queue: Queue, clock: Clock, subscription: string) {
    this.#queue = queue
    this.#clock = clock
    this.queueName = keys.retryQueue(subscription)
  }

  /** @throws StorageError, retryable, when the queue did not take it */
  async send(token: Token, dueAtMs: number | undefined): Promise<void> {
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, (dueAtMs ?? 0) - this.#clock.now()))
    const [result] = await this.#queue.send(this.queueName, [{ body: JSON.stringify(token), delayMs }])
    if (result?.ok !== true) {
      throw new StorageError(`the retry queue did not take a message: ${result?.message ?? 'no answer'}`)
    }
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
