import { lastTakenIn } from '../consume/last-taken-in.ts'
import type { LivePath } from '../consume/live-path.ts'
import { QueueIntake } from '../consume/queue-intake.ts'
import type { SubscriptionPlacement, SubscriptionState } from '../consume/subscription-placement.ts'
import type { LeaseUser } from '../lease/owner.ts'
import { places } from '../lease/places.ts'
import type { Position } from '../model/position.ts'
import { Fenced } from './fenced.ts'
import { persist, Stopped } from './stop-signal.ts'
import type { SubscriptionParts } from './subscription-parts.ts'
import { tellStopped } from './tell-stopped.ts'

const PLACING = 'placing the subscription'

/** What a subscription reads of its queue in this process: one process reads it at a time. */
export class QueueWork implements LeaseUser {
  readonly #parts: SubscriptionParts
  readonly #queueName: string
  readonly #placement: SubscriptionPlacement
  readonly #livePath: LivePath
  readonly #place: string
  #intake: QueueIntake | undefined
  #beginning: Promise<void> | undefined
  #isStopping = false

  constructor(
    parts: SubscriptionParts,
    queueName: string,
    placement: SubscriptionPlacement,
    livePath: LivePath,
  ) {
    this.#parts = parts
    this.#queueName = queueName
    this.#placement = placement
    this.#livePath = livePath
    this.#place = places.queue(parts.definition.name)
    parts.owner.join(this.#place, this)
  }

  get intake(): QueueIntake | undefined {
    return this.#intake
  }

  async start(): Promise<SubscriptionState> {
    return await this.#repeated(PLACING, () => this.#placement.beginUnplaced(this.#parts.definition.stream))
  }

  /** Begins to read, if it is this process's to read. */
  async begin(): Promise<void> {
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = undefined
    })
    await this.#beginning
  }

  close(): void {
    this.#isStopping = true
    this.#intake?.close()
  }

  async idle(): Promise<void> {
    await this.#beginning
    await this.#intake?.idle()
  }

  /** A message of another process may come again for all that this one knows. */
  hasPassed(position: Position): boolean {
    return this.#intake?.hasPassed(position) ?? false
  }

  async beforePurge(): Promise<void> {
    const intake = this.#intake
    const upTo = await lastTakenIn(this.#parts.holds, intake?.latest)
    if (upTo === undefined) return
    await this.#repeated(PLACING, () => this.#placement.purged(upTo))
    intake?.purged(upTo)
  }

  /** Another process noted a purge. */
  purged(upTo: Position): void {
    this.#intake?.purged(upTo)
  }

  taken(): void {
    void this.begin().catch((error) => {
      if (!(error instanceof Stopped)) tellStopped(this.#parts, [this.#queueName], error)
    })
  }

  lost(): void {
    const intake = this.#intake
    intake?.close()
    // What runs is waited for: should the queue come back, a key's next event must not start beside it (I3).
    void intake?.idle().then(() => this.#forget(intake))
  }

  async handOver(): Promise<boolean> {
    await this.#beginning?.catch(() => {})
    const intake = this.#intake
    if (intake === undefined) return true
    intake.close()
    await intake.idle()
    this.#forget(intake)
    return true
  }

  isRecovered(): boolean {
    return this.#intake?.isRecovered ?? false
  }

  isWaiting(): boolean {
    return this.#intake === undefined && !this.#isStopping
  }

  isDone(): boolean {
    return false
  }

  #forget(intake: QueueIntake): void {
    if (this.#intake === intake) this.#intake = undefined
  }

  async #begin(): Promise<void> {
    const { owner, holds } = this.#parts
    const lease = owner.lease(this.#place)
    if (lease === undefined) return await this.#repeated(PLACING, () => owner.offer(this.#place))
    if (this.#intake !== undefined) return
    try {
      const reading = await lease.begin()
      if (owner.isShared) await holds.refresh()
      const { pass, purgedUpTo } = await this.#repeated(PLACING, () => this.#placement.current())
      if (this.#isStopping || owner.lease(this.#place) !== lease) return
      const options = { queueName: this.#queueName, pass, lastStop: lease.lastStop, reading, purgedUpTo }
      this.#intake = new QueueIntake(this.#parts, options, this.#livePath)
      this.#intake.start()
    } catch (error) {
      if (!(error instanceof Fenced)) throw error
    }
  }

  #repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    return persist(engine.clock, stopping, logger, what, step)
  }
}
