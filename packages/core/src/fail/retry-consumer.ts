import type { LedgerItem } from '../model/ledger-item.ts'
import type { Delivery } from '../ports/queue.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { placeOf } from './item-place.ts'
import { laneName } from './lane.ts'
import type { LaneDrain } from './lane-drain.ts'
import { isFinal } from './ledger.ts'
import type { RetryPath } from './retry-path.ts'
import { laneToken, parseToken, type Token } from './tokens.ts'

const RECEIVE_WAIT_MS = 20_000
const MAX_RECEIVE = 100
/** Tokens under way (I6). Most of a token's way is waiting for storage: the more, the fewer commits each costs. */
const MAX_ACTIVE = 500
/** Tokens under way, as a multiple of the concurrency, when some wait for a handler slot already. */
const ACTIVE_PER_SLOT = 2
const MIN_ACTIVE = 64
/** Taking tokens one by one would cost a read for each. */
const MIN_RECEIVE = 16
const GIVE_BACK_MS = 250
/** No more tokens are taken than retries may be started in this time. */
const HELD_SECONDS = 10
/** Longer waits are cut into pieces. */
const MAX_SLEEP_MS = 60_000
const MAX_ERROR_WAIT_MS = 5_000

/** A lane under way here. */
interface LaneWork {
  readonly messageId: string
  /** A token came meanwhile: look again before letting go. */
  again: boolean
}

/** What becomes of a message; `leave`: the process stops, and the next one is to find it. */
type Fate = 'done' | 'leave' | { readonly delayMs: number }

/** Takes due tokens from the retry queue and lets the ledger say what each is good for. */
export class RetryConsumer {
  readonly #parts: SubscriptionParts
  readonly #retryPath: RetryPath
  readonly #drain: LaneDrain
  readonly #active = new Set<Promise<void>>()
  readonly #lanes = new Map<string, LaneWork>()
  #receiving = new AbortController()
  #onDone: (() => void) | undefined
  #open = true

  constructor(parts: SubscriptionParts, retryPath: RetryPath, drain: LaneDrain) {
    this.#parts = parts
    this.#retryPath = retryPath
    this.#drain = drain
    parts.pause.onChange(() => this.#receiving.abort())
    parts.protection.onChange(() => this.#receiving.abort())
  }

  async run(): Promise<void> {
    const { engine, logger, pause, stopping } = this.#parts
    let errorWaitMs = 0
    while (this.#open) {
      await pause.wait()
      if (!this.#open) return
      this.#receiving = new AbortController()
      try {
        await this.#round(this.#receiving.signal)
        errorWaitMs = 0
      } catch (error) {
        errorWaitMs = Math.min(MAX_ERROR_WAIT_MS, errorWaitMs * 2 + 50)
        logger.warn(
          { reason: String(error), waitMs: errorWaitMs },
          'the retry queue was not read and is tried again',
        )
        await engine.clock.sleep(errorWaitMs, stopping)
      }
    }
  }

  /** Takes no more tokens. */
  close(): void {
    this.#open = false
    this.#receiving.abort()
  }

  /** Resolves when the tokens under way are done with. */
  async idle(): Promise<void> {
    await Promise.all(this.#active)
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { engine, tokens, policy, protection } = this.#parts
    const openUntilMs = protection.openUntilMs()
    if (openUntilMs !== undefined) {
      // Nothing may be tried: the tokens are better off in their queue.
      const waitMs = openUntilMs - engine.clock.monotonicMs()
      return await engine.clock.sleep(Math.min(MAX_SLEEP_MS, Math.max(1, waitMs)), signal)
    }
    const room = this.#room()
    if (room < this.#leastRoom()) {
      await new Promise<void>((resolve) => {
        this.#onDone = resolve
      })
      return
    }
    // Twice the handler's time and a minute: a token whose deadline leaves no room for a handler is given back.
    const visibilityMs = policy.timeoutMs * 2 + 60_000
    const receivedMs = engine.clock.monotonicMs()
    const deliveries = await engine.queue.receive({
      queue: tokens.queueName,
      maxMessages: Math.min(MAX_RECEIVE, room),
      visibilityMs,
      waitMs: RECEIVE_WAIT_MS,
      signal,
    })
    for (const delivery of deliveries) {
      // The wait counts against the deadline only on the safe side: a delivery is younger than its receive call.
      const deadlineMs = Math.max(receivedMs, engine.clock.monotonicMs() - 1_000) + visibilityMs
      const work: Promise<void> = this.#work(delivery, deadlineMs).finally(() => this.#done(work))
      this.#active.add(work)
    }
  }

  /** More tokens that may be taken. Those that wait for a slot use up the time that they are hidden for: few of them. */
  #room(): number {
    return this.#limit() - this.#active.size
  }

  #leastRoom(): number {
    return Math.min(MIN_RECEIVE, this.#limit())
  }

  #limit(): number {
    const { slots, policy, protection } = this.#parts
    const limit =
      slots.waitingRetries > 0 ? Math.max(MIN_ACTIVE, policy.concurrency * ACTIVE_PER_SLOT) : MAX_ACTIVE
    const startable = Math.max(1, Math.ceil(protection.retriesPerSecond() * HELD_SECONDS))
    return Math.min(limit, MAX_ACTIVE, startable)
  }

  #done(work: Promise<void>): void {
    this.#active.delete(work)
    if (this.#onDone === undefined || this.#room() < this.#leastRoom()) return
    this.#onDone()
    this.#onDone = undefined
  }

  async #work(delivery: Delivery, deadlineMs: number): Promise<void> {
    const { logger, tokens, engine, stopping } = this.#parts
    try {
      const token = parseToken(delivery.body)
      if (token === undefined)
        logger.error({ messageId: delivery.messageId }, 'a retry message of an unknown form was removed')
      const again = token === undefined ? 'done' : await this.#use(token, delivery, deadlineMs)
      if (again === 'repeated') return
      if (again === 'leave') return await this.#giveBack(delivery)
      // Until it is taken: a token that only its visibility timeout brings back holds its key up for minutes.
      await persist(engine.clock, stopping, logger, 'giving a retry token back', () =>
        again === 'done'
          ? tokens.ack(delivery.receipt)
          : engine.queue.delay(tokens.queueName, delivery.receipt, again.delayMs),
      )
    } catch (error) {
      if (error instanceof Fenced) this.close()
      if (error instanceof Fenced || error instanceof Stopped) return await this.#giveBack(delivery)
      // The message becomes visible again by itself.
      logger.warn(
        { messageId: delivery.messageId, reason: String(error) },
        'a retry was interrupted and comes again',
      )
    }
  }

  /** The process stops: the next one finds the token at once, and not when its visibility timeout is over. */
  async #giveBack(delivery: Delivery): Promise<void> {
    const { engine, tokens, logger } = this.#parts
    try {
      await engine.queue.delay(tokens.queueName, delivery.receipt, 0)
    } catch (error) {
      logger.warn({ messageId: delivery.messageId, reason: String(error) }, 'a retry token comes again later')
    }
  }

  async #use(token: Token, { messageId }: Delivery, deadlineMs: number): Promise<Fate | 'repeated'> {
    if (token.kind === 'item') return await this.#useItem(token.id, deadlineMs)
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
            return { delayMs: Math.max(0, end.untilMs - this.#parts.engine.clock.now()) }
          case 'soon':
            return { delayMs: GIVE_BACK_MS }
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

  async #sendLaneToken(item: LedgerItem): Promise<void> {
    const { engine, logger, stopping, tokens } = this.#parts
    await persist(engine.clock, stopping, logger, 'sending a retry token', () =>
      tokens.send(laneToken(item), item.dueAtMs),
    )
  }

  async #useItem(id: string, deadlineMs: number): Promise<Fate> {
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
          return { delayMs: Math.max(0, end.untilMs - this.#parts.engine.clock.now()) }
        case 'no-time':
          return { delayMs: 0 }
        case 'given-back':
          return 'leave'
      }
    }
  }
}
