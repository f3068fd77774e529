import type { PositionedRecord } from './stored-records.ts'

export type Blocks = 'nothing' | 'key' | 'shard'

/**
 * Which two events were promised their order, under policies that change.
 *
 * A key's events keep it when both were on their way to the handler, or into the ledger, under `key` or `shard` alone;
 * a shard's when under `shard` alone. Between a change that is stored and the process that decides by it, both policies
 * may be what counts: then the weaker promise is held to.
 */
export class OrderPromises {
  readonly #taken = new Map<string, Set<Blocks>>()
  /** Begun by the live path; not handled, and not in the ledger. */
  readonly #live = new Set<string>()
  #possible: ReadonlySet<Blocks>
  #everPossible: ReadonlySet<Blocks>
  #possibleSinceBoot: ReadonlySet<Blocks>

  constructor(blocks: Blocks) {
    this.#possible = new Set([blocks])
    this.#everPossible = this.#possible
    this.#possibleSinceBoot = this.#possible
  }

  /** Of all the run: a seed whose policy stays what it was. */
  isAlways(blocks: Blocks): boolean {
    return this.#everPossible.size === 1 && this.#everPossible.has(blocks)
  }

  everMayBe(blocks: Blocks): boolean {
    return this.#everPossible.has(blocks)
  }

  /** This may count as well from now on. */
  alsoPossible(blocks: Blocks): void {
    this.#become(new Set([...this.#possible, blocks]))
  }

  /** This alone counts from now on. */
  only(blocks: Blocks): void {
    this.#become(new Set([blocks]))
  }

  /** The process died: what it had begun is nowhere. */
  crashed(): void {
    this.#live.clear()
    this.#possibleSinceBoot = new Set()
  }

  /** @param hasWaited - for its turn among those that may kill the process: what was possible all the while counts */
  begun(eventId: string, hasWaited: boolean): void {
    this.#live.add(eventId)
    this.#take(eventId, hasWaited ? this.#possibleSinceBoot : this.#possible)
  }

  handled(eventId: string): void {
    this.#live.delete(eventId)
  }

  entered(eventId: string): void {
    if (!this.#live.delete(eventId)) this.#take(eventId)
  }

  /** It is sent again: from here on it holds what the policy says now. */
  letGo(eventId: string): void {
    this.#take(eventId)
  }

  /** Its shard goes on, as under `shard` none does: decided by the policy before, where `shard` counts again by now. */
  handedOver(eventId: string, to: 'key' | 'nothing'): void {
    this.#take(eventId)
    this.#take(eventId, new Set([to]))
  }

  /** The earlier one is to be done with before the later one begins. */
  isOrdered(earlier: PositionedRecord, later: PositionedRecord): boolean {
    if (earlier.position >= later.position) return false
    if (earlier.lane === later.lane && !this.#wasFree(earlier) && !this.#wasFree(later)) return true
    return (
      earlier.record.shardId === later.record.shardId &&
      this.#wasSharded(earlier.eventId, true) &&
      this.#wasSharded(later.eventId, false)
    )
  }

  #wasFree({ eventId }: PositionedRecord): boolean {
    return this.#taken.get(eventId)?.has('nothing') === true
  }

  #wasSharded(eventId: string, evenNever: boolean): boolean {
    const taken = this.#taken.get(eventId)
    return taken === undefined ? evenNever : taken.size === 1 && taken.has('shard')
  }

  #become(possible: ReadonlySet<Blocks>): void {
    this.#possible = possible
    this.#everPossible = new Set([...this.#everPossible, ...possible])
    this.#possibleSinceBoot = new Set([...this.#possibleSinceBoot, ...possible])
    for (const eventId of this.#live) this.#take(eventId)
  }

  #take(eventId: string, possible: ReadonlySet<Blocks> = this.#possible): void {
    const taken = this.#taken.get(eventId) ?? new Set()
    for (const blocks of possible) taken.add(blocks)
    this.#taken.set(eventId, taken)
  }
}
