import { hiddenMs } from '../consume/message-hiding.ts'
import type { Delivery } from '../ports/queue.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { TokenUse } from './token-use.ts'

const RECEIVE_WAIT_MS = 20_000
const MAX_RECEIVE = 100
/** Tokens under way (I6). Most of a token's way is waiting for storage: the more, the fewer commits each costs. */
const MAX_ACTIVE = 500
/** Tokens under way, as a multiple of the concurrency, when some wait for a handler slot already. */
const ACTIVE_PER_SLOT = 2
const MIN_ACTIVE = 64
/** Taking tokens one by one would cost a read for each. */
const MIN_RECEIVE = 16
/** No more tokens are taken than retries may be started in this time. */
const HELD_SECONDS = 10
/** Longer waits are cut into pieces. */
const MAX_SLEEP_MS = 60_000
const MAX_ERROR_WAIT_MS = 5_000

/** Takes due tokens from the retry queue and lets the ledger say what each is good for. */
export class RetryConsumer {
  readonly #parts: SubscriptionParts
  readonly #tokenUse: TokenUse
  readonly #active = new Set<Promise<void>>()
  #receiving = new AbortController()
  #onDone: (() => void) | undefined
  #open = true

  constructor(parts: SubscriptionParts, tokenUse: TokenUse) {
    this.#parts = parts
    this.#tokenUse = tokenUse
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
    const visibilityMs = hiddenMs(policy.timeoutMs)
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
      const again = await this.#tokenUse.use(delivery, deadlineMs)
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
}
