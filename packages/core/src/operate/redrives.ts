import { isEddyError } from '../errors/eddy-error.ts'
import { OutOfOrderError } from '../errors/request-errors.ts'
import { checkInteger, checkNumber } from '../model/option-checks.ts'
import { randomUuid } from '../produce/uuid.ts'
import { actorOf } from './action.ts'
import type { Audit } from './audit.ts'
import type { ActionOptions, FailureFilter, RedriveJob, RedriveOptions, RedrivePlan } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { isProcessEnd } from './redrive-one.ts'
import { runRedrive } from './redrive-run.ts'
import { checkRedrive, planRedrive, redriveSet } from './redrive-set.ts'
import { CHUNK_IDS, isOver, type JobEntry, RedriveStore } from './redrive-store.ts'

/** Jobs that run at a time (I6); the rest wait their turn. */
const MAX_RUNNING = 4
const MAX_STOP_MS = 5_000

type RedriveDeps = Pick<OperationsDeps, 'engine' | 'subscriptions' | 'logger' | 'redrivesElsewhere'>

interface Run {
  readonly stop: AbortController
  cancelled: boolean
  readonly done: Promise<void>
}

/** Redrive jobs: the set of ids is written down at the start, then worked off in the background (I8). */
export class Redrives {
  readonly #deps: RedriveDeps
  readonly #audit: Audit
  readonly #store: RedriveStore
  readonly #running = new Map<string, Run>()
  readonly #waiting: string[] = []
  /** Jobs that were not over at the last look for orphans, by their version then. */
  #seen: ReadonlyMap<string, number> = new Map()
  #stopped = false

  constructor(deps: RedriveDeps, audit: Audit) {
    this.#deps = deps
    this.#audit = audit
    this.#store = new RedriveStore(deps.engine)
  }

  async plan(filter: FailureFilter, options: RedriveOptions = {}): Promise<RedrivePlan> {
    return await planRedrive(this.#deps, filter, this.#deps.engine.clock.now(), limitOf(options))
  }

  /**
   * @returns once the set is written down
   * @throws OutOfOrderError when some would run out of order and the caller did not agree
   */
  async start(filter: FailureFilter, options: RedriveOptions = {}): Promise<RedriveJob> {
    const actor = actorOf(options)
    const limit = limitOf(options)
    const ratePerSecond = checkNumber('ratePerSecond', options.ratePerSecond ?? 100, 1, 100_000)
    const allowOutOfOrder = options.allowOutOfOrder === true
    const createdAtMs = this.#deps.engine.clock.now()
    checkRedrive(this.#deps, filter)
    if (!allowOutOfOrder) {
      const { outOfOrder } = await planRedrive(this.#deps, filter, createdAtMs, limit)
      if (outOfOrder > 0) throw new OutOfOrderError(outOfOrder)
    }
    const job: RedriveJob = {
      id: `${String(createdAtMs).padStart(15, '0')}-${randomUuid(this.#deps.engine.clock).slice(0, 8)}`,
      state: 'preparing',
      filter,
      ...actor,
      ratePerSecond,
      createdAtMs,
      total: 0,
      enqueued: 0,
      skipped: 0,
    }
    const created = await this.#store.create({
      job,
      cursor: 0,
      allowOutOfOrder,
      ...(limit !== undefined && { limit }),
    })
    const prepared = await this.#prepare(created).catch(async (error: unknown) => {
      // The caller is told that it failed, so it must not run at the next start.
      await this.#fail(created, error).catch(() => undefined)
      throw error
    })
    await this.#audit.append(actor, 'redrive', job.id, prepared.stored.job.total)
    if (this.#deps.redrivesElsewhere !== true) this.#enqueue(job.id)
    return prepared.stored.job
  }

  async list(): Promise<readonly RedriveJob[]> {
    return (await this.#store.list()).map(({ stored }) => stored.job)
  }

  /** @throws RedriveNotFoundError */
  async show(id: string): Promise<RedriveJob> {
    return (await this.#store.load(id)).stored.job
  }

  /** Ends the job between two ids. What it enqueued stays enqueued; a job that is over stays as it is. */
  async cancel(id: string, options: ActionOptions = {}): Promise<RedriveJob> {
    const actor = actorOf(options)
    const before = await this.#store.load(id)
    if (isOver(before.stored.job)) return before.stored.job
    const run = this.#running.get(id)
    if (run !== undefined) {
      run.cancelled = true
      run.stop.abort()
      await run.done
    }
    const job = await this.#cancelStored(id)
    if (job.state === 'cancelled') await this.#audit.append(actor, 'redrive-cancel', id, job.enqueued)
    return job
  }

  /**
   * Goes on with the jobs that the last process left. A job that died while its set was written down writes it again,
   * with the same bound.
   * @returns the number of jobs taken up
   */
  async resume(): Promise<number> {
    let resumed = 0
    for (const entry of [...(await this.#store.list())].reverse()) {
      const { job, cleaned } = entry.stored
      if (isOver(job)) {
        if (cleaned !== true) await this.#store.clean(entry)
        continue
      }
      if (job.state === 'preparing' && !(await this.#prepareAgain(entry))) continue
      this.#enqueue(job.id)
      resumed += 1
    }
    return resumed
  }

  /**
   * Goes on with the jobs of processes that died: those that have not moved since the last look, while others live.
   * Should one of them run after all, the two find out when they save, and enqueue nothing twice (I8).
   */
  async resumeOrphans(): Promise<number> {
    const seen = new Map<string, number>()
    let resumed = 0
    for (const entry of [...(await this.#store.list())].reverse()) {
      const { job } = entry.stored
      if (isOver(job) || this.#running.has(job.id) || this.#waiting.includes(job.id)) continue
      seen.set(job.id, entry.version)
      if (this.#seen.get(job.id) !== entry.version) continue
      if (job.state === 'preparing' && !(await this.#prepareAgain(entry))) continue
      this.#enqueue(job.id)
      resumed += 1
    }
    this.#seen = seen
    return resumed
  }

  /** Stops between two ids and saves every cursor. The jobs go on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting.length = 0
    const runs = [...this.#running.values()]
    for (const run of runs) run.stop.abort()
    // An id that waits for a full disk must not keep the process from stopping.
    const waited = new AbortController()
    await Promise.race([
      Promise.all(runs.map((run) => run.done)),
      this.#deps.engine.clock.sleep(MAX_STOP_MS, waited.signal),
    ])
    waited.abort()
  }

  /** False when the job cannot be prepared: its subscription left the application, or storage fails. */
  async #prepareAgain(entry: JobEntry): Promise<boolean> {
    const { id } = entry.stored.job
    try {
      await this.#prepare(entry)
      return true
    } catch (error) {
      this.#deps.logger.error({ jobId: id, reason: String(error) }, 'a redrive could not be prepared again')
      if (isEddyError(error) && !error.retryable && !isProcessEnd(error)) await this.#fail(entry, error)
      return false
    }
  }

  async #fail(entry: JobEntry, error: unknown): Promise<void> {
    const { stored } = entry
    const reason = error instanceof Error ? error.message : String(error)
    const finishedAtMs = this.#deps.engine.clock.now()
    const job: RedriveJob = { ...stored.job, state: 'failed', finishedAtMs, reason }
    const saved = await this.#store.save(entry, { ...stored, job })
    if (saved !== undefined) await this.#store.clean(saved)
  }

  async #prepare(created: JobEntry): Promise<JobEntry> {
    const { job, limit } = created.stored
    let total = 0
    let ids: string[] = []
    for await (const { entry } of redriveSet(this.#deps, job.filter, job.createdAtMs, limit)) {
      ids.push(entry.item.id)
      total += 1
      if (ids.length < CHUNK_IDS) continue
      await this.#store.putChunk(job.id, total / CHUNK_IDS - 1, ids)
      ids = []
    }
    if (ids.length > 0) await this.#store.putChunk(job.id, Math.floor(total / CHUNK_IDS), ids)
    const stored = { ...created.stored, job: { ...job, state: 'running' as const, total } }
    const saved = await this.#store.save(created, stored)
    // Refused: cancelled meanwhile, or our own write whose answer was lost.
    return saved ?? (await this.#store.load(job.id))
  }

  /** For a job that does not run here: it waits, or it was to go on at the next start. */
  async #cancelStored(id: string): Promise<RedriveJob> {
    for (;;) {
      const entry = await this.#store.load(id)
      if (isOver(entry.stored.job)) return entry.stored.job
      const finishedAtMs = this.#deps.engine.clock.now()
      const job: RedriveJob = { ...entry.stored.job, state: 'cancelled', finishedAtMs }
      const saved = await this.#store.save(entry, { ...entry.stored, job })
      if (saved === undefined) continue
      await this.#store.clean(saved)
      return job
    }
  }

  #enqueue(id: string): void {
    if (this.#stopped) return
    this.#waiting.push(id)
    this.#fill()
  }

  #fill(): void {
    while (!this.#stopped && this.#running.size < MAX_RUNNING) {
      const id = this.#waiting.shift()
      if (id === undefined) return
      if (!this.#running.has(id)) this.#launch(id)
    }
  }

  #launch(id: string): void {
    const stop = new AbortController()
    const run: Run = {
      stop,
      cancelled: false,
      done: this.#run(id, stop.signal, () => run.cancelled).finally(() => {
        this.#running.delete(id)
        this.#fill()
      }),
    }
    this.#running.set(id, run)
  }

  async #run(id: string, signal: AbortSignal, cancelled: () => boolean): Promise<void> {
    try {
      const entry = await this.#store.load(id)
      if (isOver(entry.stored.job)) return
      await runRedrive(this.#deps, this.#store, entry, { signal, cancelled })
    } catch (error) {
      this.#deps.logger.error(
        { jobId: id, reason: String(error) },
        'a redrive stopped and goes on at the next start',
      )
    }
  }
}

function limitOf(options: RedriveOptions): number | undefined {
  return options.limit === undefined
    ? undefined
    : checkInteger('limit', options.limit, 1, Number.MAX_SAFE_INTEGER)
}
