import type { SubscriptionState } from '../consume/subscription-placement.ts'
import { keys } from '../fail/keys.ts'
import type { StoredPolicy } from '../live-policy/policy-store.ts'
import type { TableItem } from '../ports/table.ts'
import type { SubscriptionParts } from './subscription-parts.ts'

const LOOK_EVERY_MS = 1_000

export interface ControlListener {
  /** What is stored of the subscription, as it was written last by whichever process. */
  stateChanged(state: SubscriptionState): void
  policyChanged(version: number): Promise<void>
}

/** Sees within about a second what a person asked another process for: two items, read together. */
export class ControlWatch {
  readonly #parts: SubscriptionParts
  readonly #listener: ControlListener
  #stateVersion = 0

  constructor(parts: SubscriptionParts, listener: ControlListener) {
    this.#parts = parts
    this.#listener = listener
  }

  /** Where one process owns the engine, it was asked itself. */
  async run(): Promise<void> {
    const { engine, stopping, logger, owner } = this.#parts
    if (!owner.isShared) return
    while (!stopping.aborted) {
      await engine.clock.sleep(LOOK_EVERY_MS, stopping)
      if (stopping.aborted) return
      try {
        await this.#look()
      } catch (error) {
        logger.warn({ reason: String(error) }, 'what others asked for was not seen and is looked for again')
      }
    }
  }

  async #look(): Promise<void> {
    const { engine, definition, policy } = this.#parts
    const [state, stored] = await engine.table.getMany([
      keys.subscription(definition.name),
      keys.policy(definition.name),
    ])
    if (state !== undefined && state.version !== this.#stateVersion) {
      this.#stateVersion = state.version
      this.#listener.stateChanged(state.value as unknown as SubscriptionState)
    }
    const version = versionOf(stored)
    if (version > policy.version) await this.#listener.policyChanged(version)
  }
}

function versionOf(item: TableItem | undefined): number {
  return (item?.value as unknown as StoredPolicy | undefined)?.version ?? 0
}
