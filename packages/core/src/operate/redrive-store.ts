import { RedriveNotFoundError } from '../errors/request-errors.ts'
import type { Engine } from '../ports/engine.ts'
import type { TableItem, TableValue } from '../ports/table.ts'
import type { RedriveJob } from './operations.ts'

const JOBS = 'redrive'
/** Jobs are kept this long after their end. */
const RETENTION_MS = 14 * 24 * 3_600_000
export const CHUNK_IDS = 500

/** A job as stored: what is shown, and how far it came. */
export interface StoredJob {
  readonly job: RedriveJob
  /** Ids dealt with, of `job.total`. */
  readonly cursor: number
  readonly allowOutOfOrder: boolean
  readonly limit?: number
  /** The ids were removed: the job is over. */
  readonly cleaned?: boolean
}

export interface JobEntry {
  readonly stored: StoredJob
  readonly version: number
}

/** Redrive jobs in the table: an item per job, and its ids in chunks of 500. */
export class RedriveStore {
  readonly #engine: Pick<Engine, 'table' | 'clock'>

  constructor(engine: Pick<Engine, 'table' | 'clock'>) {
    this.#engine = engine
  }

  async create(stored: StoredJob): Promise<JobEntry> {
    const written = await this.#engine.table.put(
      { partition: JOBS, sort: stored.job.id, value: stored as unknown as TableValue },
      'absent',
    )
    // Refused: our own write, repeated after its answer was lost. The id is random.
    return { stored, version: written.ok ? written.version : (written.current?.version ?? 1) }
  }

  /** @throws RedriveNotFoundError */
  async load(id: string): Promise<JobEntry> {
    const item = await this.#engine.table.get({ partition: JOBS, sort: id })
    if (item === undefined) throw new RedriveNotFoundError(id)
    return toEntry(item)
  }

  /** Refused (undefined) when somebody wrote the job since. */
  async save(before: JobEntry, stored: StoredJob): Promise<JobEntry | undefined> {
    const { finishedAtMs } = stored.job
    const written = await this.#engine.table.put(
      {
        partition: JOBS,
        sort: stored.job.id,
        value: stored as unknown as TableValue,
        ...(finishedAtMs !== undefined && { expiresAtMs: finishedAtMs + RETENTION_MS }),
      },
      before.version,
    )
    return written.ok ? { stored, version: written.version } : undefined
  }

  /** Newest first, at most 1,000. */
  async list(): Promise<readonly JobEntry[]> {
    const jobs: JobEntry[] = []
    let after: string | undefined
    do {
      const page = await this.#engine.table.query({
        partition: JOBS,
        descending: true,
        limit: 100,
        ...(after !== undefined && { after }),
      })
      jobs.push(...page.items.map(toEntry))
      after = page.next
    } while (after !== undefined && jobs.length < 1_000)
    return jobs
  }

  async putChunk(id: string, chunk: number, ids: readonly string[]): Promise<void> {
    await this.#engine.table.put({ ...chunkKey(id, chunk), value: { ids } }, 'any')
  }

  /** Empty when there is no such chunk. */
  async chunk(id: string, chunk: number): Promise<readonly string[]> {
    const item = await this.#engine.table.get<{ readonly ids: readonly string[] }>(chunkKey(id, chunk))
    return item?.value.ids ?? []
  }

  /** Removes the ids of a job that is over. */
  async clean(entry: JobEntry): Promise<void> {
    const { partition } = chunkKey(entry.stored.job.id, 0)
    for (;;) {
      const page = await this.#engine.table.query({ partition, limit: 100 })
      for (const { sort } of page.items) await this.#engine.table.delete({ partition, sort }, 'any')
      if (page.next === undefined) break
    }
    await this.save(entry, { ...entry.stored, cleaned: true })
  }
}

export function isOver(job: RedriveJob): boolean {
  return job.state === 'done' || job.state === 'cancelled' || job.state === 'failed'
}

function chunkKey(id: string, chunk: number): { readonly partition: string; readonly sort: string } {
  return { partition: `redrive/${id}`, sort: String(chunk).padStart(8, '0') }
}

function toEntry(item: TableItem): JobEntry {
  return { stored: item.value as unknown as StoredJob, version: item.version }
}
