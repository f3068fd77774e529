import { randomUUID } from 'node:crypto'
import { type AppendOutcome, type Ordering, ProduceError } from '@eddy/core'
import { createProducer } from '../../client/create-producer.ts'
import type { FailedFile } from './failed-file.ts'
import { endsThePut, PutGaveUpError } from './give-up.ts'
import type { Line } from './line-reader.ts'
import type { PutCounts } from './put-report.ts'
import { type PutItem, putItems } from './put-source.ts'
import type { PutTarget } from './put-target.ts'
import { SettledLines } from './settled-lines.ts'
import { WatchedLog } from './watched-log.ts'

/** Times are what ends the sending of a line, not tries. */
const MAX_TRIES = 100
/** Of encoded lines that are read and not settled (I6); the lines themselves are kept as well, for the failed file. */
const MAX_BUFFERED_BYTES: number = 16 * 1024 * 1024

export interface PutRunParts {
  readonly target: PutTarget
  readonly lines: AsyncIterable<readonly Line[]>
  readonly failedFile: FailedFile
  readonly batchRecords: number
  /** Lines before this one were put by an earlier run. */
  readonly fromLine: number
  readonly producerId: string | undefined
  readonly ordering: Ordering
  readonly aggregate: boolean
  readonly giveUpAfterMs: number
  readonly deadlineMs: number | undefined
  readonly signal: AbortSignal
  /** The input is read no further; a read that waits for its next line ends. */
  readonly stopInput: () => void
  /** @param trouble - why nothing gets through at the moment */
  readonly onProgress: (counts: PutCounts, trouble: string | undefined) => void
}

/** Why a run is over. `interrupted`: the signal. `failed`: `problem` says why. */
export type PutEnd = 'done' | 'deadline' | 'interrupted' | 'failed'

/**
 * Puts lines as one producer: the line's place among those that are not empty is its producer sequence, so that a second run
 * with the same producer id repeats the same sequences. Memory holds a bounded number of lines however long the input is (I6).
 */
export class PutRun {
  readonly producerId: string
  readonly counts: PutCounts
  readonly #parts: PutRunParts
  readonly #log: WatchedLog
  readonly #settled: SettledLines
  readonly #stopping = new AbortController()
  #gaveUp: PutGaveUpError | undefined

  constructor(parts: PutRunParts) {
    this.#parts = parts
    this.#log = new WatchedLog(parts.target.log)
    this.producerId = parts.producerId ?? randomUUID()
    this.#settled = new SettledLines(parts.fromLine - 1)
    this.counts = { sent: 0, failed: 0, bytes: 0, doneBytes: 0, settledLine: parts.fromLine - 1 }
  }

  /** Some line may be stored that is not counted as settled. */
  get mayHaveStored(): boolean {
    return this.#log.mayHaveStored
  }

  /** Resolves when nothing is under way any more. */
  async run(): Promise<{ readonly end: PutEnd; readonly problem?: unknown }> {
    const { signal, stopInput } = this.#parts
    const stop = () => this.#stopping.abort()
    this.#stopping.signal.addEventListener('abort', stopInput, { once: true })
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const end = await this.#put()
      // Whose answer was out when the call was ended is in doubt, and no reason to call it failed.
      if (signal.aborted) return { end: 'interrupted' }
      if (end === 'done' && this.#gaveUp !== undefined) return { end: 'failed', problem: this.#gaveUp }
      return { end }
    } catch (error) {
      const problem = error instanceof ProduceError ? error.cause : error
      return signal.aborted ? { end: 'interrupted', problem } : { end: 'failed', problem }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #put(): Promise<'done' | 'deadline'> {
    const { target, lines, fromLine, ordering, giveUpAfterMs, deadlineMs, batchRecords } = this.#parts
    const { signal } = this.#stopping
    const items = putItems(lines, { fromLine, signal })
    const first = await items.next()
    if (first.done === true) return 'done'
    const producer = createProducer(this.#log, {
      giveUpAfterMs,
      maxTries: MAX_TRIES,
      maxBatchRecords: batchRecords,
    })
    const report = await producer.produceItems(
      target.name,
      this.#counted(first.value, items),
      (item, { id }) => target.toRecord(item, id),
      {
        ordering,
        aggregate: this.#parts.aggregate,
        producerId: this.producerId,
        firstSequence: first.value.sequence,
        maxBufferedBytes: MAX_BUFFERED_BYTES,
        signal,
        ...(deadlineMs !== undefined && { deadlineMs }),
        onOutcome: (outcome, index, item) => this.#settle(outcome, index, item),
        onProgress: () => this.#parts.onProgress(this.counts, this.#log.trouble),
      },
    )
    await report.remainder.return()
    return report.end === 'deadline' ? 'deadline' : 'done'
  }

  async *#counted(first: PutItem, rest: AsyncGenerator<PutItem>): AsyncGenerator<PutItem> {
    this.#settled.add(first.line.number)
    yield first
    for await (const item of rest) {
      this.#settled.add(item.line.number)
      yield item
    }
  }

  async #settle(outcome: AppendOutcome, order: number, { line, inputBytes }: PutItem): Promise<void> {
    if (outcome.ok) {
      this.counts.sent += 1
      this.counts.bytes += line.bytes.length
    } else {
      if (endsThePut(outcome)) {
        this.#gaveUp ??= new PutGaveUpError(outcome)
        this.#stopping.abort()
      }
      // Nothing is wrong with the line: a next run puts it.
      if (this.#gaveUp !== undefined && outcome.retryable) return
      if (outcome.code === this.#log.refusal?.code) return
      this.counts.failed += 1
      await this.#parts.failedFile.write({ line, code: outcome.code, reason: outcome.message })
    }
    this.counts.doneBytes += inputBytes
    this.#settled.settle(order)
    this.counts.settledLine = this.#settled.line
  }
}
