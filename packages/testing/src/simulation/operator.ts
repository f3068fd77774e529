import type { Runtime } from '@eddy/core'
import type { Prng } from '../clock/prng.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { Action, Scenario } from './scenario.ts'
import { STREAM, type StoredView, SUBSCRIPTION } from './stored-view.ts'

const encoder = new TextEncoder()

/** A person at the controls: does what a seed says, and decides in the end what is parked. */
export class Operator {
  readonly #view: StoredView
  readonly #rare: RareEventCounts
  readonly #dice: Prng
  #redriving = 0
  isPaused = false

  constructor(view: StoredView, rare: RareEventCounts, dice: Prng) {
    this.#view = view
    this.#rare = rare
    this.#dice = dice
  }

  hasRunningRedrive(): boolean {
    const had = this.#redriving > 0
    this.#redriving = 0
    return had
  }

  act(
    kind: Exclude<Action['kind'], 'append' | 'crash' | 'crash-at-call' | 'stop'>,
    runtime: Runtime,
    scenario: Scenario,
  ): void {
    // What an operator asks may meet a fault or a crash; the next look shows what came of it.
    this.#do(kind, runtime, scenario).catch(() => {})
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

  async #do(kind: string, runtime: Runtime, scenario: Scenario): Promise<void> {
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
        const before = this.#view.ledger().filter((item) => item.status === 'dead' || item.parked === true)
        if (before.some((item) => item.parked === true)) {
          this.#rare.saw('redrivenInPlace')
          await operations.startRedrive({
            status: 'held',
            ids: before.filter((item) => item.parked === true).map((item) => item.id),
          })
        }
        if (before.every((item) => item.status !== 'dead')) return
        if (scenario.blocks !== 'nothing') this.#rare.saw('redrivenOutOfOrder')
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
        const candidates = this.#view
          .ledger()
          .filter((item) => item.status === 'dead' || item.parked === true)
        if (candidates.length === 0) return
        const item = this.#dice.pick(candidates)
        const { payload } = await operations.showFailure(item.id)
        if (payload === undefined) return
        const event = { ...(JSON.parse(payload.content) as object), data: { edited: true } }
        await operations.editFailure(item.id, encoder.encode(JSON.stringify(event)), {
          allowOutOfOrder: true,
        })
        this.#rare.saw('edited')
        return
      }
    }
  }
}
