import { decodeRuns, encodeRuns } from '../consume/resolved-runs.ts'
import { keys } from '../fail/keys.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { LogRecord } from '../ports/log.ts'
import type { Expect, WriteResult } from '../ports/table.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist } from '../runtime/stop-signal.ts'

/** What is noted of a batch, under the sequence number that it begins with. */
interface Note {
  readonly [name: string]: string | number | boolean
  readonly epoch: number
  readonly requestId: string
  /** Its invocation gave its answer, so nothing was running at its end. */
  readonly hasEnded: boolean
  /** Events are handled one at a time, since an invocation with them died. */
  readonly isCareful: boolean
  readonly last: string
  /** Of all the batch's sequence numbers: `resolved` says nothing of another batch. */
  readonly digest: string
  /** Which of its user records are done with, as runs. */
  readonly resolved: string
  /** Wall time at which the invocation ends at the latest. */
  readonly untilMs: number
}

/** Another invocation may come with the same records within this time. Later ones find nothing and begin anew. */
const KEPT_MS = 24 * 3_600_000
/** Of runs as text: an item of the table holds 400 KB. Beyond it what is done with is handled again. */
const MAX_RESOLVED_CHARACTERS = 65_536

export interface BatchNoteOptions {
  readonly engine: Pick<Engine, 'table' | 'clock' | 'md5Hex'>
  readonly subscription: string
  readonly shardId: string
  /** In the order of the shard; one at least. */
  readonly records: readonly Pick<LogRecord, 'sequenceNumber'>[]
  readonly epoch: number
  readonly requestId: string
  /** Wall time. */
  readonly untilMs: number
  readonly stopping: AbortSignal
  readonly logger: Logger
}

/**
 * What invocations with the same records leave for each other: that one was begun, and which records are done with.
 *
 * - N1 A note is written before the first handler is called. Who finds one that has no end knows that its invocation
 *   died, was timed out, or still runs somewhere.
 * - N2 Every write is conditional on the last one: of two invocations with the same records the later one goes on, and
 *   the earlier one is told (`Fenced`).
 * - N3 A record is noted as done with only after it is (I2), and the note counts only for the very same records.
 */
export class BatchNote {
  /** Some of the records were in an invocation before, which may have handled them. */
  readonly isAgain: boolean
  /** That invocation died: events are to be handled one at a time. */
  readonly isCareful: boolean
  /** Its process may still run. */
  readonly mayOverlap: boolean
  /** Of user records, by their place in the batch: done with before. */
  readonly resolved: ReadonlySet<number>
  readonly #options: BatchNoteOptions
  readonly #digest: string
  #version: number

  private constructor(
    options: BatchNoteOptions,
    found: Pick<BatchNote, 'isAgain' | 'isCareful' | 'mayOverlap' | 'resolved'>,
    digest: string,
    version: number,
  ) {
    this.#options = options
    this.isAgain = found.isAgain
    this.isCareful = found.isCareful
    this.mayOverlap = found.mayOverlap
    this.resolved = found.resolved
    this.#digest = digest
    this.#version = version
  }

  /** Looks for what earlier invocations left, and notes that this one begins. @throws Fenced when a later one has begun */
  static async begin(options: BatchNoteOptions): Promise<BatchNote> {
    const { engine, subscription, shardId, records, epoch, requestId } = options
    const partition = keys.batches(subscription, shardId)
    const first = (records[0] as LogRecord).sequenceNumber
    const last = (records.at(-1) as LogRecord).sequenceNumber
    const digest = digestOf(options, records)
    for (;;) {
      const [own, half] = await engine.table.getMany<Note>([
        { partition, sort: first },
        { partition, sort: halfOf(last) },
      ])
      if (own !== undefined && own.value.epoch > epoch) throw new Fenced('the batch')
      const died = own !== undefined && !own.value.hasEnded
      const isCareful = died || own?.value.isCareful === true || half !== undefined
      // What died is split by the service: its second half begins where no note is, and ends where this one is put.
      if (died && own.value.last !== last)
        await persisted(options, 'noting a batch', () =>
          engine.table.put<Note>(
            { ...noted(options, { ...own.value, isCareful: true }), sort: halfOf(own.value.last) },
            'any',
          ),
        )
      const resolved = own?.value.digest === digest ? resolvedIn(own.value.resolved) : new Set<number>()
      const note = { epoch, requestId, hasEnded: false, isCareful, last, digest, untilMs: options.untilMs }
      const item = noted(options, {
        ...note,
        resolved: own?.value.digest === digest ? own.value.resolved : '',
      })
      const written = await persisted(options, 'noting a batch', () =>
        engine.table.put<Note>({ ...item, sort: first }, own?.version ?? 'absent'),
      )
      const version = versionOf(written, note)
      // Somebody else was first, or what was there has expired: look again.
      if (version === undefined) continue
      const mayOverlap = died && own.value.untilMs > engine.clock.now()
      const isAgain = own !== undefined || half !== undefined
      return new BatchNote(options, { isAgain, isCareful, mayOverlap, resolved }, digest, version)
    }
  }

  /** Notes how far the invocation is. @throws Fenced when a later one has begun with the same records */
  async progress(resolved: readonly number[]): Promise<void> {
    const { engine, epoch, requestId, records, untilMs } = this.#options
    const { sequenceNumber: last } = records.at(-1) as LogRecord
    const note = {
      epoch,
      requestId,
      hasEnded: false,
      isCareful: this.isCareful,
      last,
      digest: this.#digest,
      untilMs,
      resolved: textOf(resolved),
    }
    const item = noted(this.#options, note)
    const sort = (records[0] as LogRecord).sequenceNumber
    const written = await engine.table.put<Note>({ ...item, sort }, this.#version)
    this.#version = versionOf(written, note) ?? this.#fenced()
  }

  /**
   * Notes the end of an invocation that leaves records.
   *
   * @param from - the first record left, by its place in the batch
   * @param resolved - of the user records from there on, as runs
   * @throws Fenced
   */
  async end(from: number, resolved: readonly number[]): Promise<void> {
    const { engine, epoch, requestId, records, untilMs } = this.#options
    const rest = records.slice(from)
    const note = {
      epoch,
      requestId,
      hasEnded: true,
      isCareful: this.isCareful,
      last: (rest.at(-1) as LogRecord).sequenceNumber,
      digest: digestOf(this.#options, rest),
      untilMs,
      resolved: textOf(resolved),
    }
    const item = { ...noted(this.#options, note), sort: (rest[0] as LogRecord).sequenceNumber }
    for (let expect: Expect = from === 0 ? this.#version : 'absent'; ; ) {
      const written = await persisted(this.#options, 'noting a batch', () =>
        engine.table.put<Note>(item, expect),
      )
      if (versionOf(written, note) !== undefined) return
      const current = written.ok ? undefined : written.current
      // Of an invocation before this one, with other records: nobody needs it any more.
      if (from === 0 || current === undefined || current.value.epoch > epoch) this.#fenced()
      expect = current.version
    }
  }

  #fenced(): never {
    throw new Fenced('the batch')
  }
}

/** Which user records of a batch are noted as done with, by their place; nothing of another batch that begins like it. */
export async function notedAsDone(
  options: Pick<BatchNoteOptions, 'engine' | 'subscription' | 'shardId' | 'records'>,
): Promise<ReadonlySet<number>> {
  const { engine, subscription, shardId, records } = options
  const [first] = records
  if (first === undefined) return new Set()
  const key = { partition: keys.batches(subscription, shardId), sort: first.sequenceNumber }
  const value = (await engine.table.get<Note>(key))?.value
  return value?.digest === digestOf(options, records) ? resolvedIn(value.resolved) : new Set()
}

/** As alternating lengths of runs, what is not done with first. */
export function runsOf(isResolved: readonly boolean[]): readonly number[] {
  const runs: number[] = [0]
  let expected = false
  for (const is of isResolved) {
    if (is !== expected) {
      runs.push(0)
      expected = is
    }
    runs[runs.length - 1] = (runs.at(-1) as number) + 1
  }
  return runs
}

function textOf(runs: readonly number[]): string {
  if (runs.every((run) => run === 0)) return ''
  const text = encodeRuns(runs)
  return text.length > MAX_RESOLVED_CHARACTERS ? '' : text
}

function resolvedIn(text: string): ReadonlySet<number> {
  const resolved = new Set<number>()
  if (text === '') return resolved
  let at = 0
  for (const [index, run] of decodeRuns(text).entries()) {
    if (index % 2 === 1) for (let place = at; place < at + run; place += 1) resolved.add(place)
    at += run
  }
  return resolved
}

function halfOf(last: string): string {
  return `to/${last}`
}

function digestOf(
  { engine }: Pick<BatchNoteOptions, 'engine'>,
  records: readonly Pick<LogRecord, 'sequenceNumber'>[],
): string {
  return engine.md5Hex(records.map(({ sequenceNumber }) => sequenceNumber).join('\n'))
}

function noted({ engine, subscription, shardId }: BatchNoteOptions, value: Note) {
  return { partition: keys.batches(subscription, shardId), value, expiresAtMs: engine.clock.now() + KEPT_MS }
}

/** Undefined: refused, and not because the answer to our own write was lost. */
function versionOf(
  written: WriteResult<Note>,
  note: Pick<Note, 'epoch' | 'requestId' | 'hasEnded'>,
): number | undefined {
  if (written.ok) return written.version
  const { current } = written
  const isOwn =
    current?.value.epoch === note.epoch &&
    current.value.requestId === note.requestId &&
    current.value.hasEnded === note.hasEnded
  return isOwn ? current.version : undefined
}

function persisted<T>(
  { engine, stopping, logger }: BatchNoteOptions,
  what: string,
  step: () => Promise<T>,
): Promise<T> {
  return persist(engine.clock, stopping, logger, what, step)
}
