import { CorruptDataError } from '../errors/engine-errors.ts'
import { type FailureStatus, FINAL_STATUSES, type LedgerItem } from '../model/ledger-item.ts'
import type { Position } from '../model/position.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Table, TableItem, TableValue } from '../ports/table.ts'
import { type FailureRef, keys, parseFailureId } from './keys.ts'

/** Payloads above this go to `Blobs` (a DynamoDB item holds at most 400 KB). */
const MAX_INLINE_PAYLOAD_BYTES = 256 * 1024

/** A ledger item as read, with the version that a change of it is conditional on. */
export interface LedgerEntry {
  readonly item: LedgerItem
  readonly version: number
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
  readonly #counts = new Map<FailureStatus, number>()

  constructor(ports: LedgerPorts, subscription: string, retentionMs: number) {
    this.#ports = ports
    this.subscription = subscription
    this.#retentionMs = retentionMs
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
    // Nobody needs the payload of an event that was handled in the end: the log still has it.
    const payloadBlob = item.status === 'resolved' ? undefined : await this.#putPayload(laneId, item, payload)
    const complete: LedgerItem = {
      ...item,
      payloadBytes: payload.length,
      ...(payloadBlob !== undefined && { payloadBlob }),
    }
    return await this.#write(laneId, complete, 'absent', undefined)
  }

  /** Replaces what `before` saw; refused when somebody wrote since. */
  async replace(before: LedgerEntry, item: LedgerItem): Promise<LedgerWrite> {
    const ref = refOf(item)
    // An archived item that is redriven needs its payload for as long as it lives: before it is alive again (I2).
    if (this.#isExpiring(before.item) && !this.#isExpiring(item)) await this.#setPayloadExpiry(ref, item)
    const written = await this.#write(ref.laneId, item, before.version, before.item.status)
    if (!written.ok || item.status === before.item.status) return written
    if (item.status === 'resolved' && item.editedBy === undefined) this.#removePayload(ref, item)
    else if (this.#isExpiring(item)) await this.#setPayloadExpiry(ref, item)
    return written
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

  async payload(item: LedgerItem): Promise<Uint8Array | undefined> {
    if (item.payloadBlob !== undefined) {
      const content = await this.#ports.blobs.get(item.payloadBlob)
      return content === undefined ? undefined : await collect(content, item.payloadBytes)
    }
    const ref = refOf(item)
    const stored = await this.#ports.table.get<PayloadValue>(
      keys.payload(this.subscription, ref.laneId, ref.position),
    )
    return stored?.value.bytes
  }

  /** The payload of an item that is still to be handled. @throws CorruptDataError when it is gone. */
  async requirePayload(item: LedgerItem): Promise<Uint8Array> {
    const payload = await this.payload(item)
    if (payload === undefined) throw new CorruptDataError(`failure ${item.id}`, 'its payload is missing')
    return payload
  }

  async #putPayload(laneId: string, item: LedgerItem, bytes: Uint8Array): Promise<string | undefined> {
    const { position } = item
    if (bytes.length > MAX_INLINE_PAYLOAD_BYTES) {
      const key = keys.payloadBlob(this.subscription, laneId, position)
      await this.#ports.blobs.put(key, bytes)
      return key
    }
    const stored = await this.#ports.table.put<PayloadValue>(
      { ...keys.payload(this.subscription, laneId, position), value: { bytes }, ...this.#expiry(item) },
      'absent',
    )
    // An older copy may be about to expire (the event came here once before): its expiry must not take this one along.
    if (!stored.ok && stored.current?.expiresAtMs !== undefined) {
      await this.#ports.table.put<PayloadValue>(
        { ...keys.payload(this.subscription, laneId, position), value: { bytes }, ...this.#expiry(item) },
        'any',
      )
    }
    return undefined
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

  /** The payload of an item that a person put away stays as long as the item; one that came back stays for good. */
  async #setPayloadExpiry(ref: FailureRef, item: LedgerItem): Promise<void> {
    // Blobs know no expiry: the janitor looks whether their item is still there.
    if (item.payloadBlob !== undefined) return
    const key = keys.payload(this.subscription, ref.laneId, ref.position)
    const stored = await this.#ports.table.get<PayloadValue>(key)
    if (stored === undefined) return
    await this.#ports.table.put<PayloadValue>(
      { ...key, value: stored.value, ...this.#expiry(item) },
      stored.version,
    )
  }

  async #write(
    laneId: string,
    item: LedgerItem,
    expect: 'absent' | number,
    from: FailureStatus | undefined,
  ): Promise<LedgerWrite> {
    const result = await this.#ports.table.put(
      {
        partition: keys.ledger(this.subscription, laneId),
        sort: item.position,
        value: item as unknown as TableValue,
        index: {
          partition: keys.status(this.subscription, item.status),
          sort: `${String(item.statusAtMs).padStart(15, '0')}/${item.id}`,
        },
        ...this.#expiry(item),
      },
      expect,
    )
    if (!result.ok)
      return { ok: false, current: result.current === undefined ? undefined : toEntry(result.current) }
    if (from !== undefined) this.#counts.set(from, this.countOf(from) - 1)
    this.#counts.set(item.status, this.countOf(item.status) + 1)
    return { ok: true, entry: { item, version: result.version } }
  }
}

type PayloadValue = { readonly bytes: Uint8Array }

/** Nothing will happen to the item unless a person asks. */
export function isFinal(item: LedgerItem): boolean {
  return FINAL_STATUSES.includes(item.status)
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
  return { item: item.value as unknown as LedgerItem, version: item.version }
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
