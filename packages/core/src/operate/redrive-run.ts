import { isEddyError } from '../errors/eddy-error.ts'
import type { RedriveJob } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { isProcessEnd, type RedriveFate, redriveOne } from './redrive-one.ts'
import { CHUNK_IDS, isOver, type JobEntry, type RedriveStore, type StoredJob } from './redrive-store.ts'

/** The cursor is saved every so many ids, and after so long. */
const SAVE_EVERY_IDS = 100
const SAVE_EVERY_MS = 1_000
/** Ids under way at a time. Each costs two durable writes, one after the other, which an engine shares among many. */
const CONCURRENCY = 100
const MAX_FAILED_ROUNDS = 10
const MAX_ERROR_WAIT_MS = 30_000

export interface RunControl {
  /** Ends the run between two ids. */
  readonly signal: AbortSignal
  /** What the signal means: a person's wish, or the end of the process (the job stays as it is). */
  cancelled(): boolean
}

type RunDeps = Pick<OperationsDeps, 'engine' | 'subscriptions' | 'logger'>

/**
 * Takes the job's ids in order, at its rate, from its cursor to the end. After a crash the same ids may be asked for
 * again from the last saved cursor on; `redriveOne` enqueues none of them twice (I8).
 */
export async function runRedrive(
  deps: RunDeps,
  store: RedriveStore,
  start: JobEntry,
  control: RunControl,
): Promise<void> {
  const run = new RedriveRun(deps, store, start)
  while (!control.signal.aborted) {
    if (run.isAtEnd) {
      await run.end('done')
      return
    }
    if (!(await run.round(control.signal))) return
  }
  if (control.cancelled()) await run.end('cancelled')
  else await run.save()
}

class RedriveRun {
  readonly #deps: RunDeps
  readonly #store: RedriveStore
  #entry: JobEntry
  #stored: StoredJob
  #savedMs: number
  #nextMs: number
  #chunk: { readonly number: number; readonly ids: readonly string[] } | undefined
  #failedRounds = 0

  constructor(deps: RunDeps, store: RedriveStore, start: JobEntry) {
    this.#deps = deps
    this.#store = store
    this.#entry = start
    this.#stored = start.stored
    this.#savedMs = deps.engine.clock.monotonicMs()
    this.#nextMs = this.#savedMs
  }

  get isAtEnd(): boolean {
    return this.#stored.cursor >= this.#stored.job.total
  }

  /** Deals with the next few ids once their time has come. False: the run is over. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps.engine
    try {
      const ids = await this.#nextIds()
      await clock.sleep(Math.max(0, this.#nextMs - clock.monotonicMs()), signal)
      const { fates, error } = await this.#enqueue(ids, signal)
      this.#nextMs =
        Math.max(this.#nextMs, clock.monotonicMs()) + (fates.length * 1_000) / this.#stored.job.ratePerSecond
      this.#stored = advanced(this.#stored, fates)
      if (fates.length > 0) this.#failedRounds = 0
      if (error !== undefined) throw error
      return !this.#isSaveDue() || (await this.save())
    } catch (error) {
      return await this.#afterError(error, signal)
    }
  }

  /** False when somebody else ended the job or runs it. */
  async save(): Promise<boolean> {
    this.#savedMs = this.#deps.engine.clock.monotonicMs()
    if (this.#stored === this.#entry.stored) return true
    const saved = await this.#store.save(this.#entry, this.#stored)
    if (saved !== undefined) {
      this.#entry = saved
      this.#stored = saved.stored
      return true
    }
    const current = await this.#store.load(this.#stored.job.id)
    // Our own write, whose answer was lost.
    if (!isOver(current.stored.job) && current.stored.cursor === this.#stored.cursor) {
      this.#entry = current
      this.#stored = current.stored
      return true
    }
    return false
  }

  async end(state: 'done' | 'cancelled' | 'failed', reason?: string): Promise<void> {
    const finishedAtMs = this.#deps.engine.clock.now()
    const job: RedriveJob = {
      ...this.#stored.job,
      state,
      finishedAtMs,
      ...(reason !== undefined && { reason }),
    }
    this.#stored = { ...this.#stored, job }
    if (await this.save()) await this.#store.clean(this.#entry)
  }

  async #nextIds(): Promise<readonly string[]> {
    const { cursor, job } = this.#stored
    const number = Math.floor(cursor / CHUNK_IDS)
    if (this.#chunk?.number !== number) {
      this.#chunk = { number, ids: await this.#store.chunk(job.id, number) }
    }
    // A tenth of a second's worth at a time, so that the rate is even.
    const unsaved = cursor - this.#entry.stored.cursor
    const count = Math.max(1, Math.min(Math.ceil(job.ratePerSecond / 10), SAVE_EVERY_IDS - unsaved))
    const from = cursor % CHUNK_IDS
    const expected = Math.min(count, CHUNK_IDS - from, job.total - cursor)
    const ids = this.#chunk.ids.slice(from, from + expected)
    if (ids.length < expected) throw new Error(`redrive ${job.id} lost its ids from ${cursor} on`)
    return ids
  }

  /** The fates of the ids from the first one on; with an error, those before the id that met it. */
  async #enqueue(
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly fates: readonly RedriveFate[]; readonly error: unknown }> {
    const fates: (RedriveFate | undefined)[] = []
    let next = 0
    let error: unknown
    const work = async (): Promise<void> => {
      while (next < ids.length && error === undefined && !signal.aborted) {
        const index = next
        next += 1
        try {
          fates[index] = await redriveOne(this.#deps, this.#stored, ids[index] as string)
        } catch (thrown) {
          error ??= thrown
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, ids.length) }, work))
    const open = Array.from(ids, (_, index) => fates[index]).indexOf(undefined)
    return { fates: (open < 0 ? fates : fates.slice(0, open)) as RedriveFate[], error }
  }

  #isSaveDue(): boolean {
    const elapsedMs = this.#deps.engine.clock.monotonicMs() - this.#savedMs
    return this.#stored.cursor - this.#entry.stored.cursor >= SAVE_EVERY_IDS || elapsedMs >= SAVE_EVERY_MS
  }

  /** Waits and goes on; gives the job up, visibly, when nothing works any more. */
  async #afterError(error: unknown, signal: AbortSignal): Promise<boolean> {
    const { logger, engine } = this.#deps
    const jobId = this.#stored.job.id
    if (isProcessEnd(error)) return false
    const reason = error instanceof Error ? error.message : String(error)
    this.#failedRounds += 1
    logger.warn({ jobId, reason, failedRounds: this.#failedRounds }, 'a redrive was interrupted')
    if (this.#failedRounds >= MAX_FAILED_ROUNDS || !isEddyError(error)) {
      try {
        await this.end('failed', reason)
      } catch (endError) {
        logger.error({ jobId, reason: String(endError) }, 'a redrive stopped and goes on at the next start')
      }
      return false
    }
    await engine.clock.sleep(Math.min(MAX_ERROR_WAIT_MS, 100 * 2 ** this.#failedRounds), signal)
    return true
  }
}

function advanced(stored: StoredJob, fates: readonly RedriveFate[]): StoredJob {
  if (fates.length === 0) return stored
  const { job } = stored
  const skippedByReason: Record<string, number> = { ...job.skippedByReason }
  let skipped = 0
  for (const fate of fates) {
    if (fate === 'queued') continue
    skipped += 1
    skippedByReason[fate.skipped] = (skippedByReason[fate.skipped] ?? 0) + 1
  }
  return {
    ...stored,
    cursor: stored.cursor + fates.length,
    job: {
      ...job,
      enqueued: job.enqueued + fates.length - skipped,
      skipped: job.skipped + skipped,
      ...(job.skipped + skipped > 0 && { skippedByReason }),
    },
  }
}
