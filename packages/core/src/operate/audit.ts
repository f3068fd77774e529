import { checkInteger } from '../model/option-checks.ts'
import type { PolicyDifference } from '../model/policy-state.ts'
import type { Engine } from '../ports/engine.ts'
import type { TableValue } from '../ports/table.ts'
import { randomUuid } from '../produce/uuid.ts'
import type { Actor } from './action.ts'
import type { AuditEntry } from './operations.ts'

const PARTITION = 'audit'
const RETENTION_MS = 90 * 24 * 3_600_000

/** Who did what. Written after the deed: an entry stands for something that happened. */
export class Audit {
  readonly #engine: Pick<Engine, 'table' | 'clock'>

  constructor(engine: Pick<Engine, 'table' | 'clock'>) {
    this.#engine = engine
  }

  async append(
    actor: Actor,
    action: string,
    target: string,
    count?: number,
    changes?: readonly PolicyDifference[],
  ): Promise<void> {
    const atMs = this.#engine.clock.now()
    await this.#engine.table.put(
      {
        partition: PARTITION,
        sort: `${String(atMs).padStart(15, '0')}/${randomUuid(this.#engine.clock)}`,
        value: {
          atMs,
          ...actor,
          action,
          target,
          count,
          ...(changes !== undefined && { changes: changes as unknown as TableValue }),
        },
        expiresAtMs: atMs + RETENTION_MS,
      },
      'absent',
    )
  }

  /** Newest first. @param limit - 1 to 1,000 */
  async list(limit = 100): Promise<readonly AuditEntry[]> {
    checkInteger('limit', limit, 1, 1_000)
    const entries: AuditEntry[] = []
    let after: string | undefined
    do {
      const page = await this.#engine.table.query({
        partition: PARTITION,
        descending: true,
        limit: limit - entries.length,
        ...(after !== undefined && { after }),
      })
      entries.push(...page.items.map((item) => item.value as unknown as AuditEntry))
      after = page.next
    } while (after !== undefined && entries.length < limit)
    return entries
  }
}
