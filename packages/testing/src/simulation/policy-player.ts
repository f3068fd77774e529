import type { Runtime, TableItem } from '@eddy/core'
import type { Blocks, OrderPromises } from './order-promises.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { PolicyAction, Scenario } from './scenario.ts'
import { type StoredView, SUBSCRIPTION } from './stored-view.ts'

interface StoredParts {
  readonly parts: Readonly<Partial<Record<string, { readonly value: unknown }>>>
}

/** Changes the policy as a seed says, live or by an edited application file, and tells the promises what may count. */
export class PolicyPlayer {
  readonly #view: StoredView
  readonly #promises: OrderPromises
  readonly #rare: RareEventCounts
  #file: { readonly blocks: Blocks; readonly exhausted: string }
  /** Of the file that the process at work began with. */
  #running: Blocks
  #stored: Blocks | undefined
  #boot = 0
  #isChanging = false

  constructor(view: StoredView, promises: OrderPromises, rare: RareEventCounts, scenario: Scenario) {
    this.#view = view
    this.#promises = promises
    this.#rare = rare
    this.#file = scenario
    this.#running = scenario.blocks
  }

  /** What the application file says at the next start. */
  get file(): { readonly blocks: Blocks; readonly exhausted: string } {
    const { blocks, exhausted } = this.#file
    return { blocks, exhausted }
  }

  booted(): void {
    this.#boot += 1
    this.#running = this.#file.blocks
    this.#isChanging = false
    this.#promises.crashed()
    this.#promises.only(this.#now())
  }

  /** A change of the table took effect, whoever wrote it. */
  changed(after: TableItem | undefined): void {
    if (after?.partition !== 'policy') return
    const { parts } = after.value as unknown as StoredParts
    this.#stored = parts['failure.blocks']?.value as Blocks | undefined
    this.#promises.alsoPossible(this.#now())
  }

  act(action: PolicyAction, runtime: Runtime | undefined): void {
    if (action.kind === 'edit-file') {
      this.#file = action
      return
    }
    if (runtime === undefined || this.#isChanging) return
    this.#isChanging = true
    this.#see(action)
    const boot = this.#boot
    const settled = (): void => {
      if (boot !== this.#boot) return
      this.#isChanging = false
      this.#promises.only(this.#now())
    }
    const change = action.set === undefined ? { unset: ['all'] } : { set: action.set }
    runtime.operations.changePolicy(SUBSCRIPTION, change, { by: 'simulation' }).then(settled, settled)
  }

  #now(): Blocks {
    return this.#stored ?? this.#running
  }

  #see({ set }: Extract<PolicyAction, { kind: 'policy' }>): void {
    this.#rare.saw('policyChanged')
    const to = set === undefined ? this.#running : (set['failure.blocks'] ?? this.#now())
    if (to === this.#now()) return
    const held = this.#view.holds().filter((hold) => hold.state === 'held')
    const isShard = (key: string): boolean => key !== key.trim()
    if (held.some(({ key }) => isShard(key))) this.#rare.saw('shardLetGo')
    if (held.some(({ key }) => !isShard(key))) this.#rare.saw('blocksChangedWhileHeld')
  }
}
