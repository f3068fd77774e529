import { Redis } from 'ioredis'
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
import type { Body, Tally } from '../tally.ts'
import { inBatches } from './in-batches.ts'
import { redisVersion } from './redis-version.ts'

const GROUP = 'bench'
/** How long a read waits for something to come, at most. */
const BLOCK_MS = 50

const SETTLE_EVERY_MS = 2

type Entry = readonly [id: string, fields: readonly string[]]
type Answer = readonly (readonly [stream: string, entries: readonly Entry[]])[] | null

interface Progress {
  readonly tally: Tally
  acknowledged: number
  isOver: boolean
}

/** What failed together: pending in the group until it is claimed again. */
interface Failed {
  readonly ids: readonly string[]
  readonly dueMs: number
}

/**
 * A Redis stream read by a consumer group. What failed stays pending, and its consumer claims it again after the wait:
 * XCLAIM counts the delivery. (XAUTOCLAIM, for consumers that died, would have to wait longer than any handler takes.)
 */
export const redisStreams: Peer = {
  name: 'Redis Streams',
  messages: 60_000,
  how: `MULTI of ${BATCH} XADD; ${CALLERS} consumers, XREADGROUP COUNT ${BATCH}, one XACK a batch, not waited for; failed: XCLAIM after ${RETRY_WAIT_MS} ms`,
  progress: 'each XACK is on the disk before it is answered: a batch of 500 a consumer comes again at most',
  async start(place): Promise<RunningPeer> {
    const server = await startRedis(place)
    const version = await redisVersion(server.port)
    return {
      version: `${pinnedVersion('ioredis')}, Redis ${version}`,
      serverCpuMs: () => server.cpuMs(),
      queue: (name) => StreamQueue.open(server.port, name),
      stop: () => server.stop(),
    }
  },
}

class StreamQueue implements PeerQueue {
  readonly #port: number
  readonly #key: string
  readonly #producers: readonly Redis[]
  readonly #readers: Redis[] = []

  private constructor(port: number, key: string) {
    this.#port = port
    this.#key = key
    this.#producers = Array.from({ length: CALLERS }, () => new Redis(port, '127.0.0.1'))
  }

  static async open(port: number, key: string): Promise<StreamQueue> {
    const queue = new StreamQueue(port, key)
    await Promise.all(queue.#producers.map((connection) => connection.ping()))
    await queue.#main.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM')
    return queue
  }

  get #main(): Redis {
    return this.#producers[0] as Redis
  }

  async produce(messages: readonly Body[]): Promise<void> {
    await inBatches(messages, async (batch, caller) => {
      const transaction = (this.#producers[caller] as Redis).multi()
      for (const body of batch) transaction.xadd(this.#key, '*', 'data', JSON.stringify(body))
      const results = await transaction.exec()
      if (results === null || results.some(([error]) => error !== null))
        throw new Error('an XADD was refused')
    })
  }

  async consume(tally: Tally): Promise<Consumption> {
    const progress: Progress = { tally, acknowledged: 0, isOver: false }
    const consumers = Array.from({ length: CALLERS }, (_, index) =>
      this.#consume(`consumer-${index}`, progress),
    )
    for (const consumer of consumers)
      consumer.catch((error) => {
        // Closing the connection under a waiting read is how it ends.
        if (!progress.isOver) tally.fail(error)
      })
    return {
      settle: async () => {
        while (progress.acknowledged < tally.count)
          await new Promise((resolve) => setTimeout(resolve, SETTLE_EVERY_MS))
        progress.isOver = true
      },
    }
  }

  async left(): Promise<number> {
    const [pending] = (await this.#main.xpending(this.#key, GROUP)) as [number]
    const groups = (await this.#main.xinfo('GROUPS', this.#key)) as unknown[][]
    const group = groups[0] ?? []
    return pending + Number(group[group.indexOf('lag') + 1] ?? 0)
  }

  async close(): Promise<void> {
    await this.#main.del(this.#key)
    for (const connection of [...this.#producers, ...this.#readers]) connection.disconnect()
  }

  async #consume(consumer: string, progress: Progress): Promise<void> {
    const connection = this.#reader()
    const failed: Failed[] = []
    while (!progress.isOver) {
      const answer = (await connection.xreadgroup(
        ...(['GROUP', GROUP, consumer, 'COUNT', BATCH] as const),
        ...(['BLOCK', waitMs(failed), 'STREAMS', this.#key, '>'] as const),
      )) as Answer
      await this.#handle(connection, answer?.[0]?.[1] ?? [], failed, progress)
      const dueIds = takeDue(failed)
      if (dueIds.length === 0) continue
      const claimed = await connection.xclaim(this.#key, GROUP, consumer, RETRY_WAIT_MS, ...dueIds)
      await this.#handle(connection, claimed as readonly Entry[], failed, progress)
    }
  }

  /** All at once. What succeeded is acknowledged, without waiting: the next command is sent behind it. */
  async #handle(
    connection: Redis,
    entries: readonly Entry[],
    failed: Failed[],
    progress: Progress,
  ): Promise<void> {
    const outcomes = await Promise.allSettled(
      entries.map(([, fields]) => progress.tally.handle(JSON.parse(fields[1] as string) as Body)),
    )
    const idsThat = (status: 'fulfilled' | 'rejected'): string[] =>
      entries.filter((_, index) => outcomes[index]?.status === status).map(([id]) => id)
    const dueMs = performance.now() + RETRY_WAIT_MS
    const ids = idsThat('rejected')
    if (ids.length > 0) failed.push({ ids, dueMs })
    const done = idsThat('fulfilled')
    if (done.length > 0) void this.#acknowledge(connection, done, progress)
  }

  async #acknowledge(connection: Redis, ids: readonly string[], progress: Progress): Promise<void> {
    try {
      const count = await connection.xack(this.#key, GROUP, ...ids)
      progress.acknowledged += count
    } catch (error) {
      progress.tally.fail(error)
    }
  }

  #reader(): Redis {
    const connection = new Redis(this.#port, '127.0.0.1')
    this.#readers.push(connection)
    return connection
  }
}

/** How long a read may wait: what failed is not to wait longer than it has to. */
function waitMs([first]: readonly Failed[]): number {
  if (first === undefined) return BLOCK_MS
  return Math.max(1, Math.min(BLOCK_MS, Math.ceil(first.dueMs - performance.now())))
}

/** What has waited long enough, and leaves the list: the oldest comes first there. */
function takeDue(failed: Failed[]): readonly string[] {
  const nowMs = performance.now()
  const first = failed.findIndex(({ dueMs }) => dueMs > nowMs)
  return failed.splice(0, first < 0 ? failed.length : first).flatMap(({ ids }) => ids)
}
