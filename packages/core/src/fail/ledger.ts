import { CorruptDataError } from '../errors/engine-errors.ts'
import { type FailureStatus, FINAL_STATUSES, type LedgerItem } from '../model/ledger-item.ts'
import type { Position } from '../model/position.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { OrderedPut, Table, TableItem, TableValue, WriteResult } from '../ports/table.ts'
import { type FailureRef, keys, parseFailureId } from './keys.ts'
import { type PlannedWrite, writeOne } from './planned-write.ts'
import { makeStoredFailure, readStoredFailure, type StoredFailure } from './stored-failure.ts'

/** Payloads above this have an item of their own: they are not to be written again with every attempt. */
const MAX_PAYLOAD_BYTES_BESIDE = 1_024
/** Payloads above this go to `Blobs` (a DynamoDB item holds at most 400 KB). */
const MAX_PAYLOAD_BYTES_IN_TABLE = 256 * 1024

/** A ledger item as read, with the version that a change of it is conditional on. */
export interface LedgerEntry {
  readonly item: LedgerItem
  readonly version: number
  /** A small payload, which lies beside the item. `Ledger.payload` finds it wherever it is. */
  readonly payload?: Uint8Array
}

export type LedgerWrite =
  | { readonly ok: true; readonly entry: LedgerEntry }
  | { readonly ok: false; readonly current: LedgerEntry | undefined }

export interface LedgerPorts {
  readonly table: Table
  readonly blobs: Blobs
  readonly clock: Clock
}

/**
 * The failure ledger of one subscription: one item for every event that failed at least once, or waits behind one that
 * did, with its payload (I2). Every write is a condition on one item; a refused one returns what stands there.
 */
export class Ledger {
  readonly subscription: string
  readonly #ports: LedgerPorts
  readonly #retentionMs: number
  readonly #onEndedEarly: (item: LedgerItem) => void
  readonly #counts = new Map<FailureStatus, number>()

  /** @param onEndedEarly - called with an item whose time had not come when something else ended it */
  constructor(
    ports: LedgerPorts,
    subscription: string,
    retentionMs: number,
    onEndedEarly: (item: LedgerItem) => void = () => {},
  ) {
    this.#ports = ports
    this.subscription = subscription
    this.#retentionMs = retentionMs
    this.#onEndedEarly = onEndedEarly
  }

  /** Items of a status, as counted at `loadCounts` and by every write of this process since. */
  countOf(status: FailureStatus): number {
    return this.#counts.get(status) ?? 0
  }

  /** Counts what is stored. Call before the first write of this process. */
  async loadCounts(statuses: readonly FailureStatus[]): Promise<void> {
    for (const status of statuses) {
      this.#counts.set(status, await this.#ports.table.count(keys.status(this.subscription, status), true))
    }
  }

  async get(laneId: string, position: Position): Promise<LedgerEntry | undefined> {
    const item = await this.#ports.table.get({
      partition: keys.ledger(this.subscription, laneId),
      sort: position,
    })
    return item === undefined ? undefined : toEntry(item)
  }

  /** Undefined for an id of another form or subscription, and for an expired item. */
  async getById(id: string): Promise<LedgerEntry | undefined> {
    const ref = parseFailureId(id)
    if (ref === undefined || ref.subscription !== this.subscription) return undefined
    return await this.get(ref.laneId, ref.position)
  }

  /** Writes the payload, then the item: an item never stands without its payload (I2). */
  async create(laneId: string, item: LedgerItem, payload: Uint8Array): Promise<LedgerWrite> {
    return await writeOne(this.#ports.table, await this.planCreate(laneId, item, payload))
  }

  /** `create`, to be done with other writes. A large payload is put away at once. */
  async planCreate(
    laneId: string,
    item: LedgerItem,
    payload: Uint8Array,
  ): Promise<PlannedWrite<LedgerWrite>> {
    const place = placeOf(item, payload)
    const payloadBlob = keys.payloadBlob(this.subscription, laneId, item.position)
    if (place === 'blob') await this.#ports.blobs.put(payloadBlob, payload)
    const payloadBytes = payload.length
    const complete: LedgerItem =
      place === 'blob' ? { ...item, payloadBytes, payloadBlob } : { ...item, payloadBytes }
    const write = this.#planWrite(laneId, complete, 'absent', {
      from: undefined,
      payload: place === 'beside' ? payload : undefined,
    })
    return place === 'table'
      ? { ...write, puts: [this.#payloadPut(laneId, item, payload), ...write.puts] }
      : write
  }

  /** Replaces what `before` saw; refused when somebody wrote since. */
  async replace(before: LedgerEntry, item: LedgerItem): Promise<LedgerWrite> {
    // An archived item that is redriven needs its payload for as long as it lives: before it is alive again (I2).
    if (this.#isExpiring(before.item) && !this.#isExpiring(item)) await this.#keepPayload(before)
    // Read before the item is put away: whoever redrives it writes the payload after that, and this expiry is refused.
    const expiring = await this.#payloadToExpire(before, item)
    const written = await writeOne(this.#ports.table, this.planReplace(before, item))
    if (!written.ok) return written
    if (isFinal(item) && isAhead(before.item, this.#ports.clock.now())) this.#onEndedEarly(before.item)
    await this.#settlePayload(before, item, expiring)
    return written
  }

  /** The write of `replace` for an item that somebody still needs, to be done with others; `replaced` follows. */
  planReplace(before: LedgerEntry, item: LedgerItem): PlannedWrite<LedgerWrite> {
    return this.#planWrite(refOf(item).laneId, item, before.version, {
      from: before.item.status,
      payload: isPayloadDone(item) ? undefined : before.payload,
    })
  }

  /** What the replaced item's payload needs: nothing while the item is to be handled. */
  async replaced(before: LedgerEntry, item: LedgerItem): Promise<void> {
    // An attempt archives nothing, and what it drops nobody redrives: read now, it is as good.
    await this.#settlePayload(before, item, await this.#payloadToExpire(before, item))
  }

  /** The items of a lane from `from` to `to`, both inclusive, in position order, at most `limit`. */
  async range(laneId: string, from: Position, to: Position, limit: number): Promise<readonly LedgerEntry[]> {
    const partition = keys.ledger(this.subscription, laneId)
    const entries: LedgerEntry[] = []
    let after: string | undefined
    do {
      // A page may be short and still have a next one.
      const page = await this.#ports.table.query({
        partition,
        from,
        to,
        limit: limit - entries.length,
        ...(after !== undefined && { after }),
      })
      for (const item of page.items) entries.push(toEntry(item))
      after = page.next
    } while (after !== undefined && entries.length < limit)
    return entries
  }

  /** One page of a status, by the time the items came into it. */
  async byStatus(
    status: FailureStatus,
    options: {
      readonly limit: number
      readonly after?: string
      readonly descending?: boolean
      readonly from?: string
      readonly to?: string
    },
  ): Promise<{ readonly entries: readonly LedgerEntry[]; readonly next: string | undefined }> {
    const page = await this.#ports.table.query({
      partition: keys.status(this.subscription, status),
      byIndex: true,
      ...options,
    })
    return { entries: page.items.map(toEntry), next: page.next }
  }

  /** Undefined once it was removed. */
  async payload({ item, payload }: LedgerEntry): Promise<Uint8Array | undefined> {
    if (payload !== undefined) return payload
    if (item.payloadBlob !== undefined) {
      const content = await this.#ports.blobs.get(item.payloadBlob)
      return content === undefined ? undefined : await collect(content, item.payloadBytes)
    }
    return (await this.#storedPayload(item))?.value.bytes
  }

  /** Unconditional: an older copy may be about to expire (the event came here once before), and hold the same bytes. */
  #payloadPut(laneId: string, item: LedgerItem, bytes: Uint8Array): OrderedPut {
    const key = keys.payload(this.subscription, laneId, item.position)
    return { item: { ...key, value: { bytes }, ...this.#expiry(item) }, expect: 'any' }
  }

  #expiry(item: LedgerItem): { readonly expiresAtMs?: number } {
    const expiresAtMs = expiryOf(item, this.#retentionMs)
    return expiresAtMs === undefined ? {} : { expiresAtMs }
  }

  #isExpiring(item: LedgerItem): boolean {
    return expiryOf(item, this.#retentionMs) !== undefined
  }

  /**
   * A handled event's payload goes: the log still has the event. Nobody waits for it, since its key's next event does;
   * should it fail, the payload stays, unseen.
   */
  #removePayload(ref: FailureRef, item: LedgerItem): void {
    const { table, blobs } = this.#ports
    const removed =
      item.payloadBlob === undefined
        ? table.delete(keys.payload(this.subscription, ref.laneId, ref.position), 'any')
        : blobs.delete(item.payloadBlob)
    removed.catch(() => {})
  }

  async #settlePayload(
    before: LedgerEntry,
    item: LedgerItem,
    expiring: TableItem<PayloadValue> | undefined,
  ): Promise<void> {
    if (item.status === before.item.status || before.payload !== undefined) return
    if (isPayloadDone(item)) this.#removePayload(refOf(item), item)
    if (expiring === undefined) return
    const { partition, sort, value, version } = expiring
    // Should it fail, the payload stays, unseen: no reason to stop what was just decided.
    await this.#ports.table
      .put<PayloadValue>({ partition, sort, value, ...this.#expiry(item) }, version)
      .catch(() => {})
  }

  /** The payload of an item that a person put away stays as long as the item. */
  async #payloadToExpire(
    before: LedgerEntry,
    item: LedgerItem,
  ): Promise<TableItem<PayloadValue> | undefined> {
    const isPutAway = item.status !== before.item.status && this.#isExpiring(item) && !isPayloadDone(item)
    return isPutAway && liesApart(before)
      ? await this.#storedPayload(before.item).catch(() => undefined)
      : undefined
  }

  /** One that came back stays for good. Each refusal is somebody else's write, and of those there are few. */
  async #keepPayload(before: LedgerEntry): Promise<void> {
    if (!liesApart(before)) return
    for (;;) {
      const stored = await this.#storedPayload(before.item)
      if (stored === undefined) return
      const { partition, sort, value, version } = stored
      // Written though it may have no expiry yet: one that is on its way is refused then.
      const written = await this.#ports.table.put<PayloadValue>({ partition, sort, value }, version)
      if (written.ok) return
    }
  }

  async #storedPayload(item: LedgerItem): Promise<TableItem<PayloadValue> | undefined> {
    const { laneId, position } = refOf(item)
    return await this.#ports.table.get<PayloadValue>(keys.payload(this.subscription, laneId, position))
  }

  #planWrite(
    laneId: string,
    item: LedgerItem,
    expect: 'absent' | number,
    about: { readonly from: FailureStatus | undefined; readonly payload: Uint8Array | undefined },
  ): PlannedWrite<LedgerWrite> {
    const put: OrderedPut = {
      item: {
        partition: keys.ledger(this.subscription, laneId),
        sort: item.position,
        value: makeStoredFailure(item, about.payload) as unknown as TableValue,
        index: {
          partition: keys.status(this.subscription, item.status),
          sort: `${String(item.statusAtMs).padStart(15, '0')}/${item.id}`,
        },
        ...this.#expiry(item),
      },
      expect,
    }
    return { puts: [put], outcome: (result) => this.#written(item, about, result) }
  }

  #written(
    item: LedgerItem,
    about: { readonly from: FailureStatus | undefined; readonly payload: Uint8Array | undefined },
    result: WriteResult,
  ): LedgerWrite {
    if (!result.ok)
      return { ok: false, current: result.current === undefined ? undefined : toEntry(result.current) }
    const { from, payload } = about
    if (from !== undefined) this.#counts.set(from, this.countOf(from) - 1)
    this.#counts.set(item.status, this.countOf(item.status) + 1)
    const entry = { item, version: result.version, ...(payload !== undefined && { payload }) }
    return { ok: true, entry }
  }
}

type PayloadValue = { readonly bytes: Uint8Array }

/** Nothing will happen to the item unless a person asks. */
export function isFinal(item: LedgerItem): boolean {
  return FINAL_STATUSES.includes(item.status)
}

function isAhead({ status, dueAtMs }: LedgerItem, nowMs: number): boolean {
  return status === 'retrying' && dueAtMs !== undefined && dueAtMs > nowMs
}

/** Beside its item a payload shares its expiry. Blobs know none: the janitor looks whether their item is still there. */
function liesApart({ item, payload }: LedgerEntry): boolean {
  return payload === undefined && item.payloadBlob === undefined
}

type PayloadPlace = 'none' | 'beside' | 'table' | 'blob'

function placeOf(item: LedgerItem, payload: Uint8Array): PayloadPlace {
  if (isPayloadDone(item)) return 'none'
  if (payload.length <= MAX_PAYLOAD_BYTES_BESIDE) return 'beside'
  return payload.length <= MAX_PAYLOAD_BYTES_IN_TABLE ? 'table' : 'blob'
}

/** Nobody needs the payload of an event that was handled in the end: the log still has it. */
function isPayloadDone(item: LedgerItem): boolean {
  return item.status === 'resolved' && item.editedBy === undefined
}

/** Resolved, dropped and archived items need nobody any more and expire; dead ones stay until a person decides. */
function expiryOf(item: LedgerItem, retentionMs: number): number | undefined {
  return item.status === 'resolved' || item.status === 'dropped' || item.status === 'archived'
    ? item.statusAtMs + retentionMs
    : undefined
}

export function refOf(item: Pick<LedgerItem, 'id'>): FailureRef {
  const ref = parseFailureId(item.id)
  if (ref === undefined) throw new CorruptDataError(`failure ${item.id}`, 'its id is malformed')
  return ref
}

function toEntry(item: TableItem): LedgerEntry {
  const stored = item.value as unknown as StoredFailure
  const { payload } = stored
  return { item: readStoredFailure(stored), version: item.version, ...(payload !== undefined && { payload }) }
}

async function collect(content: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes)
  let at = 0
  for await (const chunk of content) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
