import { CorruptDataError } from '../errors/engine-errors.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { Engine } from '../ports/engine.ts'
import type { TableItem, TableValue } from '../ports/table.ts'
import type { Actor } from './action.ts'

const PARTITION = 'intent/edit'
const BLOB_PREFIX = 'edit-payload/'
/** Larger payloads go to a blob (a DynamoDB item holds at most 400 KB). */
const MAX_INLINE_BYTES = 256 * 1024
/** A blob that no intent names after this long was left by an edit that died before it was planned. */
const ORPHAN_AGE_MS = 24 * 3_600_000

/**
 * An edit under way. `locked`: nobody else may edit the failure, and nothing has happened yet. `planned`: everything
 * the edit consists of is written down, and it will be finished by whoever finds it.
 */
export type EditIntent = EditLock | EditPlan

export interface EditLock extends Actor {
  readonly state: 'locked'
  readonly editId: string
  readonly originalId: string
  readonly atMs: number
}

export interface EditPlan extends Omit<EditLock, 'state'> {
  readonly state: 'planned'
  /** The original as it was seen: any later write of somebody else makes the edit give up. */
  readonly originalVersion: number
  /** As it is created: parked, until the original is resolved. */
  readonly newItem: LedgerItem
  readonly outOfOrder: boolean
  readonly payload: Uint8Array | undefined
  readonly payloadBlob: string | undefined
}

export interface IntentEntry<I extends EditIntent = EditIntent> {
  readonly intent: I
  readonly version: number
}

/** Edit intents in the table, one a failure. */
export class EditIntents {
  readonly #engine: Pick<Engine, 'table' | 'blobs' | 'clock'>

  constructor(engine: Pick<Engine, 'table' | 'blobs' | 'clock'>) {
    this.#engine = engine
  }

  /** Takes the failure's lock, or returns who has it. */
  async lock(
    lock: EditLock,
  ): Promise<
    | { readonly ok: true; readonly entry: IntentEntry<EditLock> }
    | { readonly ok: false; readonly current: IntentEntry | undefined }
  > {
    const written = await this.#engine.table.put(
      { partition: PARTITION, sort: lock.originalId, value: stored(lock) },
      'absent',
    )
    if (written.ok) return { ok: true, entry: { intent: lock, version: written.version } }
    const { current } = written
    // The answer to our own write was lost and the write repeated.
    if (current !== undefined && toEntry(current).intent.editId === lock.editId) {
      return { ok: true, entry: { intent: lock, version: current.version } }
    }
    return { ok: false, current: current === undefined ? undefined : toEntry(current) }
  }

  /** From here on the edit will be finished. Undefined: the lock was taken away. */
  async plan(lock: IntentEntry<EditLock>, plan: EditPlan): Promise<IntentEntry<EditPlan> | undefined> {
    const written = await this.#engine.table.put(
      { partition: PARTITION, sort: plan.originalId, value: stored(plan) },
      lock.version,
    )
    return written.ok ? { intent: plan, version: written.version } : undefined
  }

  /** Where a plan's payload is kept. Written before the plan. */
  async keepPayload(editId: string, bytes: Uint8Array): Promise<Pick<EditPlan, 'payload' | 'payloadBlob'>> {
    if (bytes.length <= MAX_INLINE_BYTES) return { payload: bytes, payloadBlob: undefined }
    const payloadBlob = `${BLOB_PREFIX}${this.#engine.clock.now()}-${editId}`
    await this.#engine.blobs.put(payloadBlob, bytes)
    return { payload: undefined, payloadBlob }
  }

  /** Undefined when the edit was finished meanwhile, by somebody who found it. */
  async payloadOf(plan: EditPlan): Promise<Uint8Array | undefined> {
    if (plan.payload !== undefined) return plan.payload
    if (plan.payloadBlob === undefined)
      throw new CorruptDataError(`edit of ${plan.originalId}`, 'it names no payload')
    const content = await this.#engine.blobs.get(plan.payloadBlob)
    if (content === undefined) return undefined
    const whole = new Uint8Array(plan.newItem.payloadBytes)
    let at = 0
    for await (const chunk of content) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  /** Gives the lock back; the intent is over. */
  async remove(entry: IntentEntry): Promise<void> {
    await this.#engine.table.delete({ partition: PARTITION, sort: entry.intent.originalId }, entry.version)
    if (entry.intent.state === 'planned' && entry.intent.payloadBlob !== undefined) {
      await this.#engine.blobs.delete(entry.intent.payloadBlob)
    }
  }

  async *all(): AsyncGenerator<IntentEntry, void, undefined> {
    let after: string | undefined
    do {
      const page = await this.#engine.table.query({
        partition: PARTITION,
        limit: 100,
        ...(after !== undefined && { after }),
      })
      for (const item of page.items) yield toEntry(item)
      after = page.next
    } while (after !== undefined)
  }

  /** Removes payloads that were kept for an edit that never came to its plan. */
  async sweepPayloads(inUse: ReadonlySet<string>): Promise<void> {
    const orphanedBeforeMs = this.#engine.clock.now() - ORPHAN_AGE_MS
    for await (const { key } of this.#engine.blobs.list(BLOB_PREFIX)) {
      const keptAtMs = Number(key.slice(BLOB_PREFIX.length).split('-', 1)[0])
      if (keptAtMs < orphanedBeforeMs && !inUse.has(key)) await this.#engine.blobs.delete(key)
    }
  }
}

function toEntry(item: TableItem): IntentEntry {
  return { intent: item.value as unknown as EditIntent, version: item.version }
}

function stored(intent: EditIntent): TableValue {
  return intent as unknown as TableValue
}
