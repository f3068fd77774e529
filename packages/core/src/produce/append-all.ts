import type { AppendOutcome } from '../operate/operations.ts'
import type { LaneClaims } from './lane-claims.ts'
import { outcomeOfError } from './outcomes.ts'
import type { PendingRecord, Prepared, SentCounts, WriterCall } from './pending-record.ts'
import type { StreamPlan } from './stream-plan.ts'
import type { StreamWriter } from './stream-writer.ts'

/** Events of a call that are encoded and under way at a time (I6); the call's later ones follow. */
const WINDOW_ITEMS = 2_000

export interface AppendParts<Item> {
  readonly writer: StreamWriter
  readonly plan: StreamPlan
  readonly claims: LaneClaims
  readonly items: readonly Item[]
  /** What an item's record will wait for; of invalid ones too. */
  readonly laneOf: (item: Item, index: number) => string
  readonly prepare: (item: Item, index: number) => Prepared | Promise<Prepared>
}

/**
 * Sends all items and answers in their order.
 *
 * Calls that overlap keep the order in which they were made: within the turn of the call all is handed over, or its lanes
 * are claimed.
 * @throws the log's error when none could escape it and nothing was accepted yet
 */
export async function appendAll<Item>(parts: AppendParts<Item>): Promise<readonly AppendOutcome[]> {
  const { claims, items, laneOf, prepare } = parts
  if (items.length === 0) return []
  const lanes = (): ReadonlySet<string> => new Set(items.map(laneOf))
  const isLong = items.length > WINDOW_ITEMS
  if (isLong || (!claims.isEmpty && claims.blocks(lanes()))) return await appendInTurn(parts, lanes())
  const call = new AppendCall(parts.writer, parts.plan.stream, items.length)
  const prepared = items.map((item, index) => prepare(item, index))
  const isReady = !prepared.some((one) => one instanceof Promise)
  if (isReady) {
    call.handOver(prepared as readonly Prepared[], 0)
    return await call.outcomes
  }
  return await appendInTurn(
    { ...parts, prepare: (_item, index) => prepared[index] as Promise<Prepared> },
    lanes(),
  )
}

async function appendInTurn<Item>(
  { writer, plan, claims, items, prepare }: AppendParts<Item>,
  lanes: ReadonlySet<string>,
): Promise<readonly AppendOutcome[]> {
  const claim = claims.claim(lanes)
  const call = new AppendCall(writer, plan.stream, items.length)
  try {
    await claim.granted
    for (let from = 0; from < items.length && !call.isStopped; from += WINDOW_ITEMS) {
      const window = items.slice(from, from + WINDOW_ITEMS)
      const preparing = window.map((item, offset) => prepare(item, from + offset))
      call.handOver(await Promise.all(preparing), from)
      if (from + WINDOW_ITEMS < items.length) await call.hasRoom(WINDOW_ITEMS / 2)
    }
  } finally {
    claim.release()
  }
  return await call.outcomes
}

class AppendCall implements WriterCall {
  readonly closedLanes: Set<string> = new Set()
  readonly counts: SentCounts = { batches: 0, resent: 0, throttled: 0 }
  readonly outcomes: Promise<readonly AppendOutcome[]>
  readonly #writer: StreamWriter
  readonly #stream: string
  readonly #outcomes: (AppendOutcome | undefined)[]
  #open: number
  #handedOver = 0
  #accepted = 0
  #isStopped = false
  #resolve: (outcomes: readonly AppendOutcome[]) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #waiting: { readonly below: number; readonly wake: () => void } | undefined

  constructor(writer: StreamWriter, stream: string, count: number) {
    this.#writer = writer
    this.#stream = stream
    this.#outcomes = new Array(count)
    this.#open = count
    this.outcomes = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Somebody awaits it, but maybe not yet.
    this.outcomes.catch(() => undefined)
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  handOver(prepared: readonly Prepared[], from: number): void {
    for (const [offset, one] of prepared.entries()) {
      this.#handedOver += 1
      if (one.ok) this.#writer.submit(one.record, this, from + offset)
      else this.#settle(from + offset, one.outcome)
    }
  }

  /** Resolves when fewer than this are under way. */
  async hasRoom(below: number): Promise<void> {
    if (this.#underWay < below || this.#isStopped) return
    await new Promise<void>((wake) => {
      this.#waiting = { below, wake }
    })
  }

  settle(record: PendingRecord, outcome: AppendOutcome): void {
    if (outcome.ok) this.#accepted += 1
    this.#settle(record.index, outcome)
  }

  /** Only what was stopped is given back, by an error that the caller has already. */
  giveBack(): void {}

  refuse(records: readonly PendingRecord[], error: unknown): void {
    if (this.#accepted === 0) {
      this.#isStopped = true
      this.#reject(error)
      this.#writer.withdraw(this)
      this.#waiting?.wake()
      return
    }
    // Whatever is left meets the same error, but each event keeps its own outcome.
    for (const { index } of records) this.#settle(index, outcomeOfError(error, this.#stream))
  }

  get #underWay(): number {
    return this.#handedOver - (this.#outcomes.length - this.#open)
  }

  #settle(index: number, outcome: AppendOutcome): void {
    this.#outcomes[index] = outcome
    this.#open -= 1
    if (this.#open === 0) this.#resolve(this.#outcomes as AppendOutcome[])
    if (this.#waiting !== undefined && this.#underWay < this.#waiting.below) {
      this.#waiting.wake()
      this.#waiting = undefined
    }
  }
}
