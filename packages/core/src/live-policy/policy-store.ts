import { keys } from '../fail/keys.ts'
import type { PolicyChangeRecord, PolicyPath, PolicyValue } from '../model/policy-state.ts'
import type { Clock } from '../ports/clock.ts'
import type { Table, TableValue } from '../ports/table.ts'

export interface OverridePart {
  readonly value: PolicyValue
  readonly version: number
  readonly by: string
  readonly atMs: number
}

/** What is kept of one subscription's changes. */
export interface StoredPolicy {
  readonly version: number
  /** Tells an own write, whose answer was lost, from somebody else's. */
  readonly changeId: string
  readonly parts: Readonly<Partial<Record<PolicyPath, OverridePart>>>
  /** The last one: should the process die before it stands in the history, the next start puts it there. */
  readonly change: PolicyChangeRecord
}

export interface StoredEntry {
  readonly policy: StoredPolicy
  readonly itemVersion: number
}

/** Changes kept in the history (I6). */
const MAX_HISTORY = 100

/** The override of a subscription's policy, one item, and its history, one item a change. */
export class PolicyStore {
  readonly #table: Table
  readonly #clock: Clock
  readonly #subscription: string

  constructor(ports: { readonly table: Table; readonly clock: Clock }, subscription: string) {
    this.#table = ports.table
    this.#clock = ports.clock
    this.#subscription = subscription
  }

  async load(): Promise<StoredEntry | undefined> {
    const item = await this.#table.get(keys.policy(this.#subscription))
    return item === undefined
      ? undefined
      : { policy: item.value as unknown as StoredPolicy, itemVersion: item.version }
  }

  newChangeId(): string {
    return Math.floor(this.#clock.random() * 2 ** 48).toString(36)
  }

  /** May be repeated. @returns undefined when somebody else wrote since `before` was read */
  async save(before: StoredEntry | undefined, policy: StoredPolicy): Promise<StoredEntry | undefined> {
    const written = await this.#table.put(
      { ...keys.policy(this.#subscription), value: policy as unknown as TableValue },
      before === undefined ? 'absent' : before.itemVersion,
    )
    if (written.ok) return { policy, itemVersion: written.version }
    const { current } = written
    const stands = current?.value as unknown as StoredPolicy | undefined
    return current !== undefined && stands?.changeId === policy.changeId
      ? { policy, itemVersion: current.version }
      : undefined
  }

  /** Done again after a crash, it adds nothing. */
  async remember(change: PolicyChangeRecord): Promise<void> {
    const partition = keys.policyChanges(this.#subscription)
    await this.#table.put(
      { partition, sort: sortOf(change.version), value: change as unknown as TableValue },
      'absent',
    )
    const tooOld = change.version - MAX_HISTORY
    if (tooOld > 0) await this.#table.delete({ partition, sort: sortOf(tooOld) }, 'any')
  }

  /** Newest first. */
  async history(): Promise<readonly PolicyChangeRecord[]> {
    const changes: PolicyChangeRecord[] = []
    let after: string | undefined
    do {
      const page = await this.#table.query({
        partition: keys.policyChanges(this.#subscription),
        descending: true,
        limit: MAX_HISTORY,
        ...(after !== undefined && { after }),
      })
      changes.push(...page.items.map((item) => item.value as unknown as PolicyChangeRecord))
      after = page.next
    } while (after !== undefined && changes.length < MAX_HISTORY)
    return changes.slice(0, MAX_HISTORY)
  }
}

function sortOf(version: number): string {
  return String(version).padStart(12, '0')
}
