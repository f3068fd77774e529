import type { Engine } from '../ports/engine.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { failureId } from './keys.ts'

type JanitorParts = Pick<SubscriptionParts, 'definition' | 'ledger' | 'logger' | 'stopping' | 'owner'> & {
  readonly engine: Pick<Engine, 'blobs' | 'clock'>
}

const EVERY_MS = 600_000
/** Blobs looked at in one round, and candidates remembered (I6). */
const MAX_BLOBS = 10_000

/**
 * Removes payload blobs whose ledger item has expired. A blob without an item is removed only when a later round finds
 * it so again: a payload is written before its item (I2).
 */
export class PayloadJanitor {
  readonly #parts: JanitorParts
  #candidates: ReadonlySet<string> = new Set()

  constructor(parts: JanitorParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { engine, stopping, logger, owner } = this.#parts
    while (!stopping.aborted) {
      await engine.clock.sleep(EVERY_MS, stopping)
      if (stopping.aborted) return
      if (!owner.leads('janitor')) continue
      try {
        await this.round()
      } catch (error) {
        logger.warn(
          { reason: String(error) },
          'expired payloads were not looked through and are in the next round',
        )
      }
    }
  }

  async round(): Promise<void> {
    const { engine, ledger, definition } = this.#parts
    const orphans = new Set<string>()
    let looked = 0
    for await (const { key } of engine.blobs.list(`payload/${definition.name}/`)) {
      looked += 1
      if (looked > MAX_BLOBS) break
      const [, , laneId, position] = key.split('/')
      if (laneId === undefined || position === undefined) continue
      const id = failureId(definition.name, laneId, position)
      if ((await ledger.getById(id)) !== undefined) continue
      if (this.#candidates.has(key)) await engine.blobs.delete(key)
      else orphans.add(key)
    }
    this.#candidates = orphans
  }
}
