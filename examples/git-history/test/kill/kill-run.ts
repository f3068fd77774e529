import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Blocks, SubscriptionStatus } from 'eddy'
import { readActivity } from '../../src/activity.ts'
import { type Counts, gitCounts } from '../../src/git-counts.ts'
import { STREAM, SUBSCRIPTION } from '../../src/git-history-app.ts'
import { engineDirectory, projectionDirectory } from '../../src/places.ts'
import { Projection } from '../../src/projection.ts'
import { untilQuiet } from '../../src/quiet.ts'
import { type Verdict, verify } from '../../src/verify.ts'
import {
  eddy,
  freePort,
  killed,
  proceed,
  type Started,
  succeeded,
  suspend,
  until,
  untilReady,
} from './processes.ts'
import { type WatchingProxy, watchingProxy } from './watching-proxy.ts'

const APP = fileURLToPath(new URL('../../src/app.ts', import.meta.url))
const READY_MS = 60_000

export interface KillRunOptions {
  /** An empty folder. */
  readonly directory: string
  readonly repository: string
  /** The repository's changes, from `writeChanges`. */
  readonly changesFile: string
  readonly blocks: Blocks
  readonly kills: number
  /** Lines in a request of `eddy put`. */
  readonly batch: number
  readonly failRate: number
  readonly sampledPaths: number
  /** For `eddy put`, from the last kill on. */
  readonly putMs: number
  /** For everything after the last line was sent. */
  readonly drainMs: number
}

export interface KillRunResult {
  readonly blocks: Blocks
  /** Kills with unacknowledged appends and handlers in flight; others do not happen. */
  readonly kills: number
  readonly seconds: number
  readonly retries: number
  readonly attempts: number
  readonly inFlightAtKills: readonly number[]
  readonly verdict: Verdict
}

/**
 * Sends a repository's changes through `eddy put` to `eddy start`, kills the server with -9 on the way, starts it
 * again each time, and compares what came of it with Git.
 */
export async function killRun(options: KillRunOptions): Promise<KillRunResult> {
  const { directory, repository, changesFile, blocks } = options
  const startedMs = performance.now()
  const expected = await gitCounts(repository, ['HEAD'])
  const port = await freePort()
  const proxy = await watchingProxy(port)
  const lives = new Lives(options, port)
  const inFlightAtKills: number[] = []
  let put: Started | undefined
  try {
    await lives.begin()
    const putArgs = [
      'put',
      STREAM,
      changesFile,
      '--key',
      'path',
      '--batch',
      String(options.batch),
      '--url',
      proxy.url,
    ]
    put = eddy(putArgs, join(directory, 'put.log'))
    for (let kill = 1; kill <= options.kills; kill++) {
      const lines = Math.floor((expected.changes * kill) / (options.kills + 1))
      await untilAcknowledged(proxy, put, lines)
      inFlightAtKills.push(await killInTheMiddle(lives, proxy))
      await lives.begin()
    }
    await succeeded(put, options.putMs)
    await handledAll(`http://127.0.0.1:${port}`, options.drainMs)
    await lives.end()
  } finally {
    if (put !== undefined) await killed(put)
    await lives.abandon()
    await proxy.close()
  }
  const verdict = await compare(options, expected)
  const seconds = (performance.now() - startedMs) / 1_000
  return { blocks, kills: inFlightAtKills.length, seconds, ...lives.sums(), inFlightAtKills, verdict }
}

/** The server's lives, one after the other over the same data. */
class Lives {
  readonly #options: KillRunOptions
  readonly #port: number
  readonly #activityFiles: string[] = []
  #server: Started | undefined

  constructor(options: KillRunOptions, port: number) {
    this.#options = options
    this.#port = port
    mkdirSync(projectionDirectory(options.directory), { recursive: true })
  }

  async begin(): Promise<void> {
    const { directory, blocks, failRate } = this.#options
    const life = this.#activityFiles.length
    const activityFile = join(directory, `activity-${life}.json`)
    this.#activityFiles.push(activityFile)
    const args = ['start', APP, '--data', engineDirectory(directory), '--port', String(this.#port)]
    this.#server = eddy(args, join(directory, `server-${life}.log`), {
      EDDY_EXAMPLE_DIR: directory,
      EDDY_BLOCKS: blocks,
      EDDY_FAIL_RATE: String(failRate),
      EDDY_ACTIVITY_FILE: activityFile,
    })
    await untilReady(this.#server, `http://127.0.0.1:${this.#port}`, READY_MS)
  }

  get server(): Started {
    if (this.#server === undefined) throw new Error('there is no server')
    return this.#server
  }

  /** Handlers that have started and not ended. */
  inFlight(): number {
    return readActivity(this.#activityFiles.at(-1) as string).inFlight
  }

  async end(): Promise<void> {
    this.server.child.kill('SIGTERM')
    await succeeded(this.server, 60_000)
  }

  async abandon(): Promise<void> {
    if (this.#server !== undefined) await killed(this.#server)
  }

  sums(): { retries: number; attempts: number } {
    let [retries, attempts] = [0, 0]
    for (const file of this.#activityFiles) {
      const counts = readActivity(file)
      retries += counts.retries
      attempts += counts.started
    }
    return { retries, attempts }
  }
}

/**
 * Kills the server at a moment when appends are unacknowledged and handlers are in flight. To be sure, the process is
 * made to stand still first: what it shows then is what it dies with.
 *
 * @returns how many handlers were in flight
 */
async function killInTheMiddle(lives: Lives, proxy: WatchingProxy): Promise<number> {
  for (let i = 0; i < 2_000; i++) {
    await suspend(lives.server)
    // Answers that were on their way when it stopped arrive now.
    await sleep(5)
    const inFlight = lives.inFlight()
    if (inFlight > 0 && proxy.unacknowledged() > 0) {
      await killed(lives.server)
      return inFlight
    }
    proceed(lives.server)
    await sleep(1 + (i % 7))
  }
  throw new Error('there was no moment with unacknowledged appends and handlers in flight')
}

async function untilAcknowledged(proxy: WatchingProxy, put: Started, lines: number): Promise<void> {
  await until(`${lines} lines acknowledged`, 120_000, () => {
    if (put.child.exitCode !== null) throw new Error('eddy put ended before all kills')
    return proxy.acknowledgedLines() >= lines
  })
}

async function handledAll(url: string, timeoutMs: number): Promise<void> {
  let last: SubscriptionStatus | undefined
  const show = async () => {
    last = (await (await fetch(`${url}/v1/subscriptions/${SUBSCRIPTION}`)).json()) as SubscriptionStatus
    return last
  }
  await untilQuiet(show, AbortSignal.timeout(timeoutMs)).catch((error: unknown) => {
    throw new Error(`not all handled in ${timeoutMs} ms; last state: ${JSON.stringify(last)}`, {
      cause: error,
    })
  })
}

async function compare(options: KillRunOptions, expected: Counts): Promise<Verdict> {
  const { directory, repository, blocks, sampledPaths } = options
  const projection = new Projection(projectionDirectory(directory), { readOnly: true })
  try {
    const sample = { repository, tips: ['HEAD'], paths: sampledPaths }
    return await verify({ projection, expected, ordered: blocks !== 'nothing', sample })
  } finally {
    await projection.close()
  }
}
