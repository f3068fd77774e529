import type { LedgerItem, Runtime } from '@eddy/core'
import { Prng } from '../clock/prng.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { Action, Scenario } from './scenario.ts'
import { STREAM, type StoredView, SUBSCRIPTION } from './stored-view.ts'

const encoder = new TextEncoder()

/** A person at the controls: does what a seed says, and decides in the end what is parked. */
export class Operator {
  readonly #view: StoredView
  readonly #rare: RareEventCounts
  readonly #scenario: Scenario
  readonly #dice: Prng
  #redriving = 0
  isPaused = false

  constructor(view: StoredView, rare: RareEventCounts, scenario: Scenario) {
    this.#view = view
    this.#rare = rare
    this.#scenario = scenario
    this.#dice = new Prng(`operator/${scenario.seed}`)
  }

  hasRunningRedrive(): boolean {
    const had = this.#redriving > 0
    this.#redriving = 0
    return had
  }

  act(
    kind: Extract<Action['kind'], 'split' | 'merge' | 'pause' | 'redrive' | 'drop' | 'edit'>,
    runtime: Runtime,
  ): void {
    // What an operator asks may meet a fault or a crash; the next look shows what came of it.
    this.#do(kind, runtime).catch(() => {})
  }

  /**
   * Somebody watches, and acts at once on what they see end: on a failure of the same key, more than one of them at a
   * time now and then. Their decisions meet each other, and what the code has under way.
   */
  reaction(
    item: LedgerItem,
  ): { readonly inMs: number; readonly act: (runtime: Runtime) => void } | undefined {
    if (!this.#dice.chance(this.#scenario.eagerness)) return undefined
    const inMs = this.#dice.int(40)
    const kinds = Array.from({ length: this.#dice.pick([1, 1, 2, 3]) }, () =>
      this.#dice.pick(['redrive', 'redrive', 'edit', 'drop'] as const),
    )
    const act = (runtime: Runtime): void => {
      const others = this.#view.ledger().filter((other) => other.key === item.key && isForPerson(other))
      if (others.length === 0) return
      const { id, parked } = this.#dice.pick(others)
      if (kinds.length > 1) this.#rare.saw('decidedAtOnce')
      for (const kind of kinds) this.#decide(kind, id, parked === true, runtime).catch(() => {})
    }
    return { inMs, act }
  }

  resume(runtime: Runtime): void {
    this.isPaused = false
    runtime.operations.resumeSubscription(SUBSCRIPTION).catch(() => {})
  }

  /** Redrives or drops every parked event. */
  decideParked(runtime: Runtime): void {
    for (const item of this.#view.ledger()) {
      if (item.parked !== true) continue
      this.#rare.saw('parked')
      const filter = { ids: [item.id] }
      const decided = this.#dice.chance(0.5)
        ? runtime.operations.startRedrive({ ...filter, status: 'held' }, { allowOutOfOrder: true })
        : runtime.operations.dropFailures({ ...filter, status: 'held' })
      decided.catch(() => {})
    }
  }

  async #decide(
    kind: 'redrive' | 'edit' | 'drop',
    id: string,
    isParked: boolean,
    { operations }: Runtime,
  ): Promise<void> {
    const filter = { ids: [id] }
    switch (kind) {
      case 'redrive':
        await operations.startRedrive(
          { ...filter, status: isParked ? 'held' : 'dead' },
          { allowOutOfOrder: this.#dice.chance(0.5) },
        )
        return
      case 'edit':
        return await this.#edit(id, { operations })
      case 'drop':
        await operations.dropFailures(filter)
        return
    }
  }

  async #edit(id: string, { operations }: Pick<Runtime, 'operations'>): Promise<void> {
    const { payload } = await operations.showFailure(id)
    if (payload === undefined) return
    const event = { ...(JSON.parse(payload.content) as object), data: { edited: true } }
    await operations.editFailure(id, encoder.encode(JSON.stringify(event)), { allowOutOfOrder: true })
    this.#rare.saw('edited')
  }

  async #do(kind: string, runtime: Runtime): Promise<void> {
    const { operations } = runtime
    switch (kind) {
      case 'split':
      case 'merge': {
        if (this.#view.holds().some((hold) => hold.state === 'held')) this.#rare.saw('reshardWhileHeld')
        const { shards } = await operations.showStream(STREAM)
        const open = shards.filter((shard) => shard.open)
        if (open.length === 0) return
        const { shardId } = this.#dice.pick(open)
        if (kind === 'split' && open.length < 5) await operations.splitShard(STREAM, shardId)
        if (kind === 'merge' && open.length > 1) await operations.mergeShards(STREAM, shardId)
        return
      }
      case 'pause': {
        this.isPaused = true
        await operations.pauseSubscription(SUBSCRIPTION)
        await new Promise<void>((resolve) => setImmediate(resolve))
        return
      }
      case 'redrive': {
        const before = this.#view.ledger().filter(isForPerson)
        if (before.some((item) => item.parked === true)) {
          this.#rare.saw('redrivenInPlace')
          await operations.startRedrive({
            status: 'held',
            ids: before.filter((item) => item.parked === true).map((item) => item.id),
          })
        }
        if (before.every((item) => item.status !== 'dead')) return
        if (this.#scenario.blocks !== 'nothing') this.#rare.saw('redrivenOutOfOrder')
        this.#redriving += 1
        await operations.startRedrive(
          { status: 'dead' },
          { allowOutOfOrder: true, ratePerSecond: 1 + this.#dice.int(50) },
        )
        return
      }
      case 'drop':
        await operations.dropFailures({ status: this.#dice.pick(['dead', 'held'] as const) })
        return
      case 'edit': {
        const candidates = this.#view.ledger().filter(isForPerson)
        if (candidates.length > 0) await this.#edit(this.#dice.pick(candidates).id, runtime)
        return
      }
    }
  }
}

function isForPerson(item: LedgerItem): boolean {
  return item.status === 'dead' || item.parked === true
}
