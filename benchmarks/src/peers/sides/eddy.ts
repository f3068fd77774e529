import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AppDefinition, defineApp, type Eddy, fixed, open, stream, subscribe } from 'eddy'
import { BATCH, type Consumption, type Peer, type PeerQueue, RETRY_WAIT_MS } from '../peer.ts'
import { ATTEMPTS, type Body, type Tally } from '../tally.ts'
import { inBatches } from './in-batches.ts'

const STREAM = 'bench'
const SUBSCRIPTION = 'noop'
const SHARDS = 4
/** Tried: 16 to 2,000. With a handler that waits for nothing more was no faster, and a little slower from 1,000 on. */
const CONCURRENCY = 64
/** What an application has at hand: nothing is measured of making them. */
const KEYS = Array.from({ length: 20_000 }, (_, index) => `customer-${index}`)

interface Handling {
  tally: Tally | undefined
}

export const eddy: Peer = {
  name: 'Eddy',
  messages: 60_000,
  how: `append of ${BATCH}; ${SHARDS} shards; concurrency ${CONCURRENCY}; 20,000 keys, each in order as long as nothing fails; failed: fixed ${RETRY_WAIT_MS} ms`,
  progress:
    'checkpoints are on the disk at least every second, and before 1,024 records of a shard are beyond one: no more come again',
  async start({ dir }) {
    return {
      version: 'this repository',
      serverCpuMs: () => 0,
      queue: (name) => EddyQueue.open(join(dir, name)),
      stop: async () => {},
    }
  },
}

class EddyQueue implements PeerQueue {
  readonly #dataDir: string
  readonly #eddy: Eddy
  readonly #handling: Handling

  private constructor(dataDir: string, eddy: Eddy, handling: Handling) {
    this.#dataDir = dataDir
    this.#eddy = eddy
    this.#handling = handling
  }

  /** With a subscription that is paused until somebody consumes. */
  static async open(dataDir: string): Promise<EddyQueue> {
    const handling: Handling = { tally: undefined }
    const eddy = await open(
      appThat(async (body) => {
        if (handling.tally === undefined) throw new Error('a paused subscription handled something')
        await handling.tally.handle(body)
      }),
      { dataDir },
    )
    await eddy.operations.pauseSubscription(SUBSCRIPTION)
    return new EddyQueue(dataDir, eddy, handling)
  }

  async produce(messages: readonly Body[]): Promise<void> {
    await inBatches(messages, async (batch) => {
      const events = batch.map((data) => ({ key: KEYS[data.n % KEYS.length] as string, data }))
      const outcomes = await this.#eddy.append(STREAM, events)
      if (outcomes.some((outcome) => !outcome.ok)) throw new Error('an append was refused')
    })
  }

  async consume(tally: Tally): Promise<Consumption> {
    this.#handling.tally = tally
    await this.#eddy.operations.resumeSubscription(SUBSCRIPTION)
    // Closing is what makes the last checkpoint durable.
    return { settle: () => this.#eddy.close() }
  }

  /** As a new process finds it: what the durable checkpoints have not passed, what comes again, what the ledger has open. */
  async left(): Promise<number> {
    let again = 0
    const countAgain = async (): Promise<void> => {
      again += 1
    }
    const eddy = await open(appThat(countAgain), { dataDir: this.#dataDir })
    const status = await eddy.operations.showSubscription(SUBSCRIPTION)
    await eddy.close()
    return status.lagRecords + status.retrying + status.held + status.dead + again
  }

  async close(): Promise<void> {
    rmSync(this.#dataDir, { recursive: true, force: true })
  }
}

function appThat(handle: (body: Body) => Promise<void>): AppDefinition {
  const bench = stream(STREAM, { shards: SHARDS, durability: 'fsync' })
  const noop = subscribe(SUBSCRIPTION, bench, {
    concurrency: CONCURRENCY,
    failure: { retry: fixed({ delayMs: RETRY_WAIT_MS, maxAttempts: ATTEMPTS }) },
    handle: (event) => handle(event.data as Body),
  })
  return defineApp({ subscriptions: [noop] })
}
