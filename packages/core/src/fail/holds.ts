import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition, type Position } from '../model/position.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import type { Table, TableValue, WriteResult } from '../ports/table.ts'
import {
  checkOwned,
  type Hold,
  type HoldEntry,
  type HoldWrite,
  holdEntryOf,
  isNewerHold,
  isSameHold,
  isWithin,
} from './hold.ts'
import { keys } from './keys.ts'
import { type Lane, laneName } from './lane.ts'
import { NameFilter } from './name-filter.ts'
import { type PlannedWrite, writeOne } from './planned-write.ts'

/** Holds kept in memory, the ones written last; beyond it only those that were put out cost a read (I6). */
const MAX_CACHED_HOLDS = 10_000
/** Of `Table.getMany`. */
const MAX_READ_TOGETHER = 1_000
/** Holds looked at before the first event. With more than that, every miss costs a read. */
const MAX_LOADED_HOLDS = 50_000

export class Holds {
  readonly #engine: Pick<Engine, 'md5Hex'> & { readonly table: Table; readonly clock: Clock }
  readonly #subscription: string
  readonly #fence: number | undefined
  readonly #cache = new Map<string, HoldEntry>()
  /** Every stored hold is in the cache or was put out of it: else there is none, and a live event costs no read. */
  #complete = true
  #putOut: NameFilter | undefined
  /** Lanes without a hold, as `loadNamed` found them. */
  readonly #absent = new Set<string>()
  #held = 0
  #onOpened: (name: string) => void = () => {}

  /** @param fence - epoch of the process, where one alone owns the engine: none of its writes goes over a later one's */
  constructor(
    engine: Pick<Engine, 'md5Hex'> & { readonly table: Table; readonly clock: Clock },
    subscription: string,
    fence: number | undefined,
  ) {
    this.#engine = engine
    this.#subscription = subscription
    this.#fence = fence
  }

  /** Called with the name of each lane that flows again. */
  onOpened(listener: (name: string) => void): void {
    this.#onOpened = listener
  }

  /** Lanes held now, as this owner knows them. */
  get heldCount(): number {
    return this.#held
  }

  /**
   * Loads the holds, open ones too, once the subscription is owned and before its first event. Where there are very
   * many, the rest is read when it is asked for.
   */
  async load(): Promise<void> {
    this.#cache.clear()
    this.#complete = true
    this.#putOut = undefined
    this.#held = 0
    let loaded = 0
    let after: string | undefined
    do {
      const page = await this.page(after, 1_000)
      for (const { name, entry } of page.holds) {
        if (entry.hold.state === 'held') this.#held += 1
        this.#remember(name, entry)
      }
      loaded += page.holds.length
      after = page.next
    } while (after !== undefined && loaded < MAX_LOADED_HOLDS)
    if (after === undefined) return
    this.#complete = false
    // What was not looked at is counted as held: so many holds at a time do not stand open.
    const all = await this.#engine.table.count(keys.hold(this.#subscription))
    this.#held += Math.max(0, all - loaded)
  }

  /**
   * Reads the holds of these lanes alone, for whoever owns them for a short while and has one look at all of them. Any
   * other lane costs a read.
   */
  async loadNamed(names: readonly string[]): Promise<void> {
    this.#complete = false
    for (let at = 0; at < names.length; at += MAX_READ_TOGETHER) {
      const some = names.slice(at, at + MAX_READ_TOGETHER)
      const partition = keys.hold(this.#subscription)
      const items = await this.#engine.table.getMany(
        some.map((name) => ({ partition, sort: this.#sort(name) })),
      )
      for (const [index, item] of items.entries()) {
        const name = some[index] as string
        if (item === undefined) this.#absent.add(name)
        else this.#remember(name, holdEntryOf(item))
      }
    }
  }

  /**
   * Looks at all holds again, since other processes wrote some: before the first event of a shard that is taken over.
   * What is newer counts, here or there.
   */
  async refresh(): Promise<void> {
    const before = new Map(this.#cache)
    let held = 0
    let loaded = 0
    let after: string | undefined
    do {
      const page = await this.page(after, 1_000)
      for (const { name, entry } of page.holds) {
        if (entry.hold.state === 'held') held += 1
        before.delete(name)
        this.#remember(name, entry)
      }
      loaded += page.holds.length
      after = page.next
    } while (after !== undefined && loaded < MAX_LOADED_HOLDS)
    this.#held = held
    if (after !== undefined) this.#complete = false
    // Removed by another process, unless it was written here meanwhile.
    else for (const [name, entry] of before) this.#forgetCached(name, entry)
  }

  /**
   * For whoever is not the lane's reader: among several processes another one may have made a hold, or let more wait in
   * it. What is known here is enough when the item waits there by it.
   *
   * @param fresh - as it stands in the table, if there is one at all
   */
  async find(
    name: string,
    { fresh, item }: { readonly fresh: boolean; readonly item?: Pick<LedgerItem, 'position'> },
  ): Promise<HoldEntry | undefined> {
    const known = await this.lookup(name)
    if (this.#fence !== undefined) return fresh && known !== undefined ? await this.read(name) : known
    return !fresh && item !== undefined && isWithin(known, item) ? known : await this.read(name)
  }

  /** Undefined when the lane has no hold. Reads the table only when the cache cannot know. */
  lookup(name: string): HoldEntry | undefined | Promise<HoldEntry | undefined> {
    const cached = this.#cache.get(name)
    if (cached !== undefined) return cached
    if (this.#absent.has(name)) return undefined
    return this.#complete && this.#putOut?.mayHave(name) !== true ? undefined : this.read(name)
  }

  async read(name: string): Promise<HoldEntry | undefined> {
    const known = this.#cache.get(name)
    const item = await this.#engine.table.get({
      partition: keys.hold(this.#subscription),
      sort: this.#sort(name),
    })
    const entry = item === undefined ? undefined : holdEntryOf(item)
    if (entry === undefined) this.#forgetCached(name, known)
    else this.#remember(name, entry)
    return entry
  }

  /** Step 3a: the lane waits from `position` on. @throws Fenced, like every write here */
  planHold(
    name: string,
    before: HoldEntry | undefined,
    lane: Lane,
    place: {
      readonly position: Position
      readonly laneId: string
      readonly shardId: string
      readonly cause?: Lane
      /** Of the reading that writes. */
      readonly epoch: number
    },
  ): PlannedWrite<HoldWrite> {
    checkOwned(before, place.epoch)
    const tail =
      before?.hold.state === 'held' && before.hold.tail > place.position ? before.hold.tail : place.position
    return this.#plan(name, before, {
      state: 'held',
      lo: place.position,
      tail,
      epoch: place.epoch,
      updatedAtMs: 0,
      key: lane.key,
      ...(lane.explicitHashKey !== undefined && { explicitHashKey: lane.explicitHashKey }),
      ...(place.cause !== undefined && { cause: place.cause }),
      laneId: place.laneId,
      shardId: place.shardId,
    })
  }

  /** Step 4a: one more event of the lane waits. */
  planExtend(
    name: string,
    before: HoldEntry,
    place: { readonly tail: Position; readonly shardId: string; readonly epoch: number },
  ): PlannedWrite<HoldWrite> {
    checkOwned(before, place.epoch)
    return this.#plan(name, before, { ...before.hold, ...place })
  }

  /** Step 8: the lane flows again, unless its tail moved since it was read. */
  planRelease(name: string, before: HoldEntry): PlannedWrite<HoldWrite> {
    const { hold } = before
    return this.#planOfConsumer(name, before, { ...hold, state: 'open', lo: afterPosition(hold.tail) })
  }

  /** Whoever was about to open the hold must look again, and from the lane's start on. */
  async touch(name: string, before: HoldEntry): Promise<HoldWrite> {
    const reopened = (before.hold.reopened ?? 0) + 1
    const plan = this.#planOfConsumer(name, before, { ...before.hold, reopened })
    return await writeOne(this.#engine.table, plan)
  }

  /** The waiting events up to the tail are to be dead-lettered with the one at `position`. */
  async cut(name: string, before: HoldEntry): Promise<HoldWrite> {
    const plan = this.#planOfConsumer(name, before, { ...before.hold, cut: before.hold.tail })
    return await writeOne(this.#engine.table, plan)
  }

  async release(name: string, before: HoldEntry): Promise<HoldWrite> {
    return await writeOne(this.#engine.table, this.planRelease(name, before))
  }

  /**
   * Removes a watermark that no replay can reach any more (H4), or a shard's hold that was handed over.
   * @returns false when the hold changed meanwhile
   */
  async forget(name: string, before: HoldEntry): Promise<boolean> {
    const known = this.#cache.get(name)
    const removed = await this.#engine.table.delete(
      { partition: keys.hold(this.#subscription), sort: this.#sort(name) },
      before.version,
    )
    // Refused, and gone: the answer to our own removal was lost.
    if (!removed.ok && (await this.read(name)) !== undefined) return false
    this.#forgetCached(name, known)
    if (before.hold.state === 'held') this.#held -= 1
    return true
  }

  async page(
    after: string | undefined,
    limit: number,
  ): Promise<{
    readonly holds: readonly { readonly name: string; readonly entry: HoldEntry }[]
    readonly next: string | undefined
  }> {
    const page = await this.#engine.table.query({
      partition: keys.hold(this.#subscription),
      limit,
      ...(after !== undefined && { after }),
    })
    return {
      holds: page.items.map((item) => {
        const entry = holdEntryOf(item)
        return { name: laneName(entry.hold), entry }
      }),
      next: page.next,
    }
  }

  /** Whoever has a lane's token may be any process: the hold keeps its epoch, and the write rests on the version. */
  #planOfConsumer(name: string, before: HoldEntry, next: Hold): PlannedWrite<HoldWrite> {
    return this.#plan(name, before, { ...next, epoch: Math.max(next.epoch, this.#fence ?? 0) })
  }

  #plan(name: string, before: HoldEntry | undefined, next: Hold): PlannedWrite<HoldWrite> {
    // H3: a former owner's late write is refused by the version; an owner never overwrites a later epoch's item.
    checkOwned(before, this.#fence)
    const hold: Hold = { ...next, updatedAtMs: this.#engine.clock.now() }
    const item = {
      partition: keys.hold(this.#subscription),
      sort: this.#sort(name),
      value: hold as unknown as TableValue,
    }
    const known = this.#cache.get(name)
    const outcome = (result: WriteResult): HoldWrite => this.#outcome(name, { before, known, hold }, result)
    return { puts: [{ item, expect: before === undefined ? 'absent' : before.version }], outcome }
  }

  #outcome(
    name: string,
    write: {
      readonly before: HoldEntry | undefined
      readonly known: HoldEntry | undefined
      readonly hold: Hold
    },
    result: WriteResult,
  ): HoldWrite {
    const { before, known, hold } = write
    if (result.ok) return this.#written(name, before, { hold, version: result.version })
    const current = result.current === undefined ? undefined : holdEntryOf(result.current)
    // The answer to our own write was lost, and its repetition refused: what we wanted stands there.
    if (current !== undefined && isSameHold(current.hold, hold)) return this.#written(name, before, current)
    checkOwned(current, this.#fence)
    if (current === undefined) this.#forgetCached(name, known)
    else this.#remember(name, current)
    return { ok: false, current }
  }

  #written(name: string, before: HoldEntry | undefined, entry: HoldEntry): HoldWrite {
    this.#held += Number(entry.hold.state === 'held') - Number(before?.hold.state === 'held')
    this.#remember(name, entry)
    if (entry.hold.state === 'open' && before?.hold.state === 'held') this.#onOpened(name)
    return { ok: true, entry }
  }

  /** There was none when somebody looked: true of what was known then, not of a hold that was written meanwhile. */
  #forgetCached(name: string, known: HoldEntry | undefined): void {
    if (this.#cache.get(name) === known) this.#cache.delete(name)
  }

  #remember(name: string, entry: HoldEntry): void {
    // The newest write wins: two answers may arrive in another order than their writes took effect.
    const known = this.#cache.get(name)
    if (known !== undefined && isNewerHold(known, entry)) return
    this.#absent.delete(name)
    this.#cache.delete(name)
    this.#cache.set(name, entry)
    if (this.#cache.size <= MAX_CACHED_HOLDS) return
    const oldest = this.#cache.keys().next().value as string
    this.#cache.delete(oldest)
    this.#putOut ??= new NameFilter()
    this.#putOut.add(oldest)
  }

  #sort(name: string): string {
    return this.#engine.md5Hex(name)
  }
}
