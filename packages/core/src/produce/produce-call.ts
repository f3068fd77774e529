import { ProduceError } from '../errors/produce-error.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import type { Clock } from '../ports/clock.ts'
import { Fifo } from '../runtime/fifo.ts'
import { ItemSource } from './item-source.ts'
import { outcomeOfError } from './outcomes.ts'
import type { PendingRecord, Prepared, SentCounts, WriterCall } from './pending-record.ts'
import type { ProduceOptions, ProduceProgress, ProduceReport, ShardPace } from './produce-options.ts'
import type { StreamPlan } from './stream-plan.ts'
import type { StreamWriter } from './stream-writer.ts'

/** Items read in a row before everything else gets its turn. */
const ITEMS_A_TURN = 500

export interface ProduceParts<Item> {
  readonly writer: StreamWriter
  readonly plan: StreamPlan
  readonly clock: Clock
  readonly source: Iterable<Item> | AsyncIterable<Item>
  readonly prepare: (item: Item, index: number) => Prepared | Promise<Prepared>
  readonly options: ProduceOptions<Item> &
    Required<Pick<ProduceOptions<Item>, 'maxBufferedRecords' | 'maxBufferedBytes'>>
}

interface Told<Item> extends Held<Item> {
  readonly outcome: AppendOutcome
}

interface Held<Item> {
  readonly index: number
  readonly item: Item
}

/**
 * One call of `produce`: reads the source as far as the buffer has room (I6), and gives every item back once: told to
 * `onOutcome`, or in the remainder (I9).
 */
export class ProduceCall<Item> implements WriterCall {
  readonly closedLanes: Set<string> = new Set()
  readonly counts: SentCounts = { batches: 0, resent: 0, throttled: 0 }
  readonly #parts: ProduceParts<Item>
  readonly #source: ItemSource<Item>
  readonly #items = new Map<number, Item>()
  readonly #untold: Fifo<Told<Item>> = new Fifo()
  readonly #remainder: Held<Item>[] = []
  #end: 'deadline' | 'aborted' | 'failed' | undefined
  #failure: { readonly what: string; readonly cause: unknown } | undefined
  #read = 0
  #accepted = 0
  #failed = 0
  #bufferedBytes = 0
  #isTelling = false
  #wake: (() => void) | undefined

  constructor(parts: ProduceParts<Item>) {
    this.#parts = parts
    this.#source = new ItemSource(parts.source)
  }

  get isStopped(): boolean {
    return this.#end !== undefined
  }

  async run(): Promise<ProduceReport<Item>> {
    const { clock, options } = this.#parts
    const over = new AbortController()
    const onAbort = (): void => this.#endBy('aborted')
    if (options.signal?.aborted === true) onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.deadlineMs !== undefined) {
      void clock.sleep(options.deadlineMs, over.signal).then(() => {
        if (!over.signal.aborted) this.#endBy('deadline')
      })
    }
    try {
      await this.#readAll()
      while (this.#buffered > 0) await this.#change()
    } finally {
      over.abort()
      options.signal?.removeEventListener('abort', onAbort)
    }
    this.batchEnded()
    return this.#report()
  }

  settle(record: PendingRecord, outcome: AppendOutcome): void {
    this.#bufferedBytes -= record.bytes
    this.#tell(outcome, record.index)
  }

  giveBack(record: PendingRecord): void {
    this.#bufferedBytes -= record.bytes
    this.#keep(record.index)
    this.#wakeUp()
  }

  refuse(records: readonly PendingRecord[], error: unknown): void {
    for (const record of records) this.settle(record, outcomeOfError(error, this.#parts.plan.stream))
    this.#fail('the log', error)
  }

  batchEnded(): void {
    try {
      this.#parts.options.onProgress?.(this.#progress())
    } catch (error) {
      this.#fail('onProgress', error)
    }
  }

  /** Items without an outcome that was told. */
  get #buffered(): number {
    return this.#items.size + this.#untold.size
  }

  async #readAll(): Promise<void> {
    const { clock, options } = this.#parts
    try {
      for (let sinceTurn = 1; this.#end === undefined; sinceTurn += 1) {
        if (this.#isFull(options)) {
          await this.#change()
          sinceTurn = 0
          continue
        }
        const asked = this.#source.next()
        const pulled = asked instanceof Promise ? await asked : asked
        if (pulled.kind === 'end') return
        if (pulled.kind === 'waiting') continue
        const preparing = this.#take(pulled.item)
        if (preparing instanceof Promise) await preparing
        if (sinceTurn % ITEMS_A_TURN === 0) await clock.sleep(0)
      }
    } catch (error) {
      this.#fail('the source', error)
    }
  }

  #isFull({
    maxBufferedRecords,
    maxBufferedBytes,
  }: Pick<Required<ProduceOptions<Item>>, 'maxBufferedRecords' | 'maxBufferedBytes'>): boolean {
    const buffered = this.#buffered
    return buffered > 0 && (buffered >= maxBufferedRecords || this.#bufferedBytes >= maxBufferedBytes)
  }

  #take(item: Item): void | Promise<void> {
    const index = this.#read
    this.#read += 1
    this.#items.set(index, item)
    let preparing: Prepared | Promise<Prepared>
    try {
      preparing = this.#parts.prepare(item, index)
    } catch (error) {
      preparing = { ok: false, outcome: outcomeOfError(error, this.#parts.plan.stream) }
    }
    if (!(preparing instanceof Promise)) return this.#handOver(preparing, index)
    return preparing.then(
      (prepared) => this.#handOver(prepared, index),
      (error: unknown) =>
        this.#handOver({ ok: false, outcome: outcomeOfError(error, this.#parts.plan.stream) }, index),
    )
  }

  #handOver(prepared: Prepared, index: number): void {
    if (!prepared.ok) this.#tell(prepared.outcome, index)
    else if (this.#end === undefined) {
      this.#bufferedBytes += this.#parts.writer.submit(prepared.record, this, index).bytes
    } else this.#keep(index)
  }

  /** The item is not sent by this call. */
  #keep(index: number): void {
    this.#remainder.push({ index, item: this.#items.get(index) as Item })
    this.#items.delete(index)
  }

  #tell(outcome: AppendOutcome, index: number): void {
    if (outcome.ok) this.#accepted += 1
    else this.#failed += 1
    const item = this.#items.get(index) as Item
    this.#items.delete(index)
    if (this.#parts.options.onOutcome === undefined) {
      this.#wakeUp()
      return
    }
    this.#untold.push({ outcome, index, item })
    if (!this.#isTelling) void this.#tellAll()
  }

  /** One at a time. After an error the others are told all the same: nobody else would learn of them. */
  async #tellAll(): Promise<void> {
    this.#isTelling = true
    for (let told = this.#untold.peek(); told !== undefined; told = this.#untold.peek()) {
      try {
        const telling = this.#parts.options.onOutcome?.(told.outcome, told.index, told.item)
        if (telling instanceof Promise) await telling
      } catch (error) {
        this.#fail('onOutcome', error)
      }
      this.#untold.shift()
      this.#wakeUp()
    }
    this.#isTelling = false
  }

  #fail(what: string, cause: unknown): void {
    this.#failure ??= { what, cause }
    this.#endBy('failed')
  }

  #endBy(end: 'deadline' | 'aborted' | 'failed'): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#source.interrupt()
    this.#parts.writer.withdraw(this)
    this.#wakeUp()
  }

  /** Until something was settled, or the call is to end. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #progress(): ProduceProgress {
    return {
      read: this.#read,
      accepted: this.#accepted,
      failed: this.#failed,
      ...this.counts,
      buffered: this.#buffered,
      bufferedBytes: this.#bufferedBytes,
    }
  }

  #report(): ProduceReport<Item> {
    const { buffered: _buffered, bufferedBytes: _bytes, ...counts } = this.#progress()
    const unsent = this.#remainder.sort((a, b) => a.index - b.index).map(({ item }) => item)
    const remainder = this.#source.rest(unsent)
    const report = { ...counts, remainder, shards: this.#shards() }
    if (this.#failure !== undefined) throw new ProduceError(this.#failure.what, this.#failure.cause, report)
    const end = this.#end === 'deadline' || this.#end === 'aborted' ? this.#end : 'done'
    return { end, ...report }
  }

  #shards(): readonly ShardPace[] {
    const nowMs = this.#parts.clock.monotonicMs()
    return [...this.#parts.plan.pacers()].map(([shardId, pacer]) => ({ shardId, ...pacer.pace(nowMs) }))
  }
}
