import type { LedgerItem } from '../model/ledger-item.ts'
import type { Delivery } from '../ports/queue.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { placeOf } from './item-place.ts'
import { laneName } from './lane.ts'
import type { LaneDrain } from './lane-drain.ts'
import { isFinal } from './ledger.ts'
import type { RetryPath } from './retry-path.ts'
import { laneToken, parseToken, type Token } from './tokens.ts'

/** Until a lane is looked at again whose last event is on its way into the ledger. */
const SOON_MS = 250

/** A lane under way here. */
interface LaneWork {
  readonly messageId: string
  /** A token came meanwhile: look again before letting go. */
  again: boolean
}

/**
 * What becomes of a token's message. `leave`: the process stops, and the next one is to find it. `repeated`: the same
 * message once more, while it is under way: nothing is to be done with it.
 */
export type TokenFate = 'done' | 'leave' | 'repeated' | { readonly delayMs: number }

/** Lets the ledger say what a retry token is good for, and does that. Whoever received the token settles its message. */
export class TokenUse {
  readonly #parts: SubscriptionParts
  readonly #retryPath: RetryPath
  readonly #drain: LaneDrain
  readonly #soonMs: number
  readonly #lanes = new Map<string, LaneWork>()

  constructor(parts: SubscriptionParts, retryPath: RetryPath, drain: LaneDrain, soonMs: number = SOON_MS) {
    this.#parts = parts
    this.#retryPath = retryPath
    this.#drain = drain
    this.#soonMs = soonMs
  }

  /**
   * @param deadlineMs - on the monotonic clock: until then nobody else is given the token
   * @throws Fenced, Stopped, and what storage refuses for good: the message is to come again
   */
  async use(delivery: Pick<Delivery, 'messageId' | 'body'>, deadlineMs: number): Promise<TokenFate> {
    const token = parseToken(delivery.body)
    if (token === undefined) {
      const about = { messageId: delivery.messageId }
      this.#parts.logger.error(about, 'a retry message of an unknown form was removed')
      return 'done'
    }
    return token.kind === 'item'
      ? await this.#useItem(token.id, deadlineMs)
      : await this.#useLane(token, delivery.messageId, deadlineMs)
  }

  async #useLane(
    token: Token & { readonly kind: 'lane' },
    messageId: string,
    deadlineMs: number,
  ): Promise<TokenFate> {
    const name = laneName(token)
    const underWay = this.#lanes.get(name)
    if (underWay !== undefined) {
      underWay.again = true
      // The same message once more: it is the only timer that the lane is known to have, and not to be removed.
      return underWay.messageId === messageId ? 'repeated' : 'done'
    }
    const work: LaneWork = { messageId, again: false }
    this.#lanes.set(name, work)
    try {
      for (;;) {
        work.again = false
        const end = await this.#drain.drain(name, deadlineMs)
        if (work.again && end.kind !== 'given-back' && end.kind !== 'no-time') continue
        switch (end.kind) {
          case 'released':
          case 'parked':
            return 'done'
          case 'wait':
            return this.#delayUntil(end.untilMs)
          case 'soon':
            return { delayMs: this.#soonMs }
          case 'no-time':
            return { delayMs: 0 }
          case 'given-back':
            return 'leave'
        }
      }
    } finally {
      this.#lanes.delete(name)
    }
  }

  async #useItem(id: string, deadlineMs: number): Promise<TokenFate> {
    for (;;) {
      const entry = await this.#parts.ledger.getById(id)
      if (entry === undefined || isFinal(entry.item) || entry.item.parked === true) return 'done'
      const place =
        entry.item.outOfOrder === true
          ? undefined
          : await placeOf(this.#parts.holds, entry.item, { fresh: entry.item.cutting === true })
      // Its key was held after all, under another policy than the one that sent it on by itself. The lane gets a timer
      // of its own: this one is over when its event is, and others of the lane may be left then.
      if (place?.kind === 'key') {
        await this.#sendLaneToken(entry.item)
        return 'done'
      }
      if (entry.item.cutting === true) {
        // Nothing waits behind an event that has no lane.
        await this.#drain.giveUp(entry)
        continue
      }
      const end = await this.#retryPath.tryItem(entry, deadlineMs)
      switch (end.kind) {
        case 'look-again':
        case 'settled':
          continue
        case 'wait':
          return this.#delayUntil(end.untilMs)
        case 'no-time':
          return { delayMs: 0 }
        case 'given-back':
          return 'leave'
      }
    }
  }

  #delayUntil(untilMs: number): TokenFate {
    return { delayMs: Math.max(0, untilMs - this.#parts.engine.clock.now()) }
  }

  async #sendLaneToken(item: LedgerItem): Promise<void> {
    const { engine, logger, stopping, tokens } = this.#parts
    await persist(engine.clock, stopping, logger, 'sending a retry token', () =>
      tokens.send(laneToken(item), item.dueAtMs),
    )
  }
}
