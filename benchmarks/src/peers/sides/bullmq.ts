import { Queue, Worker } from 'bullmq'
import { pinnedVersion } from '../../support/pinned-version.ts'
import {
  BATCH,
  CALLERS,
  type Consumption,
  type Peer,
  type PeerQueue,
  RETRY_WAIT_MS,
  type RunningPeer,
} from '../peer.ts'
import { startRedis } from '../servers/redis-server.ts'
import { ATTEMPTS, type Body, type Tally } from '../tally.ts'
import { inBatches } from './in-batches.ts'
import { redisVersion } from './redis-version.ts'

/**
 * A worker fetches its jobs one after another, each with a round trip that waits for the disk: many workers share
 * flushes. Tried: 4 to 100, of concurrency 20 to 500. From here on more of them were no faster.
 */
const WORKERS = 25
const CONCURRENCY = (CALLERS * BATCH) / WORKERS
const SETTLE_EVERY_MS = 2

export const bullMq: Peer = {
  name: 'BullMQ',
  messages: 6_000,
  how: `addBulk of ${BATCH}; ${WORKERS} workers of concurrency ${CONCURRENCY}; completed jobs are removed; failed: fixed backoff of ${RETRY_WAIT_MS} ms`,
  progress: "each job's completion is on the disk before it is answered",
  async start(place): Promise<RunningPeer> {
    const server = await startRedis(place)
    const version = await redisVersion(server.port)
    return {
      version: `${pinnedVersion('bullmq')}, Redis ${version}`,
      serverCpuMs: () => server.cpuMs(),
      queue: async (name) => new BullQueue(server.port, name),
      stop: () => server.stop(),
    }
  },
}

class BullQueue implements PeerQueue {
  readonly #name: string
  readonly #connection: { readonly host: string; readonly port: number }
  readonly #queue: Queue
  #workers: readonly Worker[] = []

  constructor(port: number, name: string) {
    this.#name = name
    this.#connection = { host: '127.0.0.1', port }
    this.#queue = new Queue(name, {
      connection: this.#connection,
      defaultJobOptions: {
        attempts: ATTEMPTS,
        backoff: { type: 'fixed', delay: RETRY_WAIT_MS },
        removeOnComplete: true,
      },
    })
  }

  async produce(messages: readonly Body[]): Promise<void> {
    await inBatches(messages, async (batch) => {
      await this.#queue.addBulk(batch.map((data) => ({ name: 'event', data })))
    })
  }

  async consume(tally: Tally): Promise<Consumption> {
    let completed = 0
    this.#workers = Array.from({ length: WORKERS }, () => {
      const worker = new Worker<Body>(this.#name, ({ data }) => tally.handle(data), {
        connection: this.#connection,
        concurrency: CONCURRENCY,
      })
      worker.on('completed', () => {
        completed += 1
      })
      // Told of by the tally, which misses what was not handled.
      worker.on('error', () => {})
      return worker
    })
    return {
      settle: async () => {
        while (completed < tally.count) await new Promise((resolve) => setTimeout(resolve, SETTLE_EVERY_MS))
      },
    }
  }

  async left(): Promise<number> {
    const counts = await this.#queue.getJobCounts()
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close(true)))
    await this.#queue.obliterate({ force: true })
    await this.#queue.close()
  }
}
