import PgBoss from 'pg-boss'
import { pinnedVersion } from '../../support/pinned-version.ts'
import { BATCH, CALLERS, type Consumption, type Peer, type PeerQueue, type RunningPeer } from '../peer.ts'
import { POSTGRES_USER, startPostgres } from '../servers/postgres-server.ts'
import { ATTEMPTS, type Body, type Tally } from '../tally.ts'
import { inBatches } from './in-batches.ts'

/** A consumer that found nothing looks again after this long. */
const POLL_MS = 5

export const pgBoss: Peer = {
  name: 'pg-boss',
  messages: 8_000,
  how: `insert of ${BATCH}; ${CALLERS} consumers, fetch and complete in batches of ${BATCH}; failed: retried at once, since its waits are whole seconds`,
  progress: "each batch's completion is on the disk before it is answered",
  async start(place): Promise<RunningPeer> {
    const server = await startPostgres(place)
    const boss = new PgBoss({
      host: '127.0.0.1',
      port: server.port,
      user: POSTGRES_USER,
      database: 'postgres',
      max: 2 * CALLERS,
      schedule: false,
    })
    boss.on('error', () => {})
    await boss.start()
    const version = await durableVersion(boss)
    return {
      version: `${pinnedVersion('pg-boss')}, PostgreSQL ${version}`,
      serverCpuMs: () => server.cpuMs(),
      queue: async (name) => {
        await boss.createQueue(name, { name, retryLimit: ATTEMPTS - 1, retryDelay: 0 })
        return new BossQueue(boss, name)
      },
      stop: async () => {
        await boss.stop({ graceful: false, wait: true })
        await server.stop()
      },
    }
  },
}

class BossQueue implements PeerQueue {
  readonly #boss: PgBoss
  readonly #name: string

  constructor(boss: PgBoss, name: string) {
    this.#boss = boss
    this.#name = name
  }

  async produce(messages: readonly Body[]): Promise<void> {
    await inBatches(messages, async (batch) => {
      await this.#boss.insert(batch.map((data) => ({ name: this.#name, data })))
    })
  }

  async consume(tally: Tally): Promise<Consumption> {
    let completed = 0
    const consumers = Array.from({ length: CALLERS }, async () => {
      while (completed < tally.count) {
        const done = await this.#consumeBatch(tally)
        if (done === undefined) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        else completed += done
      }
    })
    for (const consumer of consumers) consumer.catch((error) => tally.fail(error))
    return {
      settle: async () => {
        await Promise.all(consumers)
      },
    }
  }

  async left(): Promise<number> {
    const sql = "SELECT count(*) AS count FROM pgboss.job WHERE name = $1 AND state <> 'completed'"
    const { rows } = await this.#boss.getDb().executeSql(sql, [this.#name])
    return Number(rows[0]?.count)
  }

  async close(): Promise<void> {
    const db = this.#boss.getDb()
    const { rows } = await db.executeSql('SELECT partition_name FROM pgboss.queue WHERE name = $1', [
      this.#name,
    ])
    await db.executeSql(`TRUNCATE pgboss.${rows[0]?.partition_name}`, [])
    await this.#boss.deleteQueue(this.#name)
  }

  /** @returns how many are completed; undefined when there was nothing to do */
  async #consumeBatch(tally: Tally): Promise<number | undefined> {
    const jobs = await this.#boss.fetch<Body>(this.#name, { batchSize: BATCH, priority: false })
    if (jobs.length === 0) return undefined
    const outcomes = await Promise.allSettled(jobs.map(({ data }) => tally.handle(data)))
    const idsThat = (status: 'fulfilled' | 'rejected'): string[] =>
      jobs.filter((_, index) => outcomes[index]?.status === status).map(({ id }) => id)
    const done = idsThat('fulfilled')
    const failed = idsThat('rejected')
    if (done.length > 0) await this.#boss.complete(this.#name, done)
    if (failed.length > 0) await this.#boss.fail(this.#name, failed, {})
    return done.length
  }
}

/** @throws Error unless every commit waits for the disk */
async function durableVersion(boss: PgBoss): Promise<string> {
  const show = async (setting: string): Promise<string> => {
    const { rows } = await boss.getDb().executeSql(`SHOW ${setting}`, [])
    return String(rows[0]?.[setting])
  }
  if ((await show('fsync')) !== 'on' || (await show('synchronous_commit')) !== 'on')
    throw new Error('this PostgreSQL does not put every commit on the disk')
  return await show('server_version')
}
