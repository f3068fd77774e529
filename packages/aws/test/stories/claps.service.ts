import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { createInvocations, defineApp, type Operations, stream, subscribe } from '@eddy/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resourceEnv } from '../../src/resources/index.ts'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { type EddyProcess, startEddy } from '../support/eddy-process.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { killInFlight } from '../support/kill-in-flight.ts'
import { patiently } from './support/patiently.ts'
import { until } from './support/until.ts'

const EXAMPLE = fileURLToPath(new URL('../../../../examples/claps/', import.meta.url))
/** As people hand it to `eddy start`. */
const FILE = join(EXAMPLE, 'src/app.ts')
const SUBSCRIPTION = 'claps-per-post'
const CLAPS = 400
const FAIL_RATE = 0.1
const SLOW_MS = 20
const BURST = 50
const PORTION = 10
const FEED_MS = 100
/** Enough members for each shard to have some. */
const LAST = 20

/** As far as it is looked at here. */
interface Clap {
  readonly post: string
  readonly member: string
  readonly total: number
  readonly version: number
}

type Totals = Readonly<Record<string, number>>

/** The application as whoever looks at it from outside knows it: nothing is ever handled here. */
const APP = defineApp({
  subscriptions: [
    subscribe(SUBSCRIPTION, stream('claps', { shards: 2 }), {
      failure: { blocks: 'nothing' },
      handle: () => {
        throw new Error('who looks handles nothing')
      },
    }),
  ],
})

const run = promisify(execFile)

let world: AwsWorld
let parent: string

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'eddy-claps-story-'))
  world = await startAwsWorld()
})

afterAll(async () => {
  await world?.close()
  rmSync(parent, { recursive: true, force: true })
})

/** The application deployed, and who claps and counts from outside. */
class Claps {
  readonly deployed: DeployedApp
  readonly operations: Operations
  readonly env: Readonly<Record<string, string>>
  readonly #claps = someClaps()
  /** In random order, a third of them twice. */
  readonly sent: readonly Clap[] = shuffled([...this.#claps, ...this.#claps.slice(0, CLAPS / 3)])

  private constructor(deployed: DeployedApp, env: Claps['env']) {
    this.deployed = deployed
    this.operations = createInvocations({
      ...{ engine: deployed.engine, app: APP },
      processId: 'outside',
    }).operations
    this.env = env
  }

  static async deploy(name: string): Promise<Claps> {
    const directory = join(parent, name)
    mkdirSync(join(directory, 'counts'), { recursive: true })
    const env = { DATA_DIR: directory, FAIL_RATE: String(FAIL_RATE), SLOW_MS: String(SLOW_MS) }
    return new Claps(await DeployedApp.deploy({ world, file: FILE, app: APP, name, env }), env)
  }

  append(from: number, to?: number): Promise<void> {
    return this.#append(this.sent.slice(from, to))
  }

  /** Once all is handled, each total is what a plain count says. */
  async expectRight(logs: () => string): Promise<void> {
    // Read after all others of their shards: when they are counted, those have been handled or are to be retried.
    const last = Array.from({ length: LAST }, (_, n) => ({
      post: 'last',
      member: `${n}`,
      total: 1,
      version: 1,
    }))
    await this.#append(last)
    const expected = plainCount([...this.#claps, ...last])
    const look = async () => {
      const status = await patiently(() => this.operations.showSubscription(SUBSCRIPTION))
      const { retrying, held, dead } = status
      return { retrying, held, dead, totals: await this.#totals() }
    }
    await until(look, ({ retrying, totals }) => totals.last === LAST && retrying === 0, { logs })
    // What was still at work then is over soon.
    const right = { retrying: 0, held: 0, dead: 0, totals: expected }
    const isRight = (seen: typeof right) => isDeepStrictEqual(seen, right)
    const told = () => `expected: ${JSON.stringify(right)}\n${logs()}`
    await until(look, isRight, { timeoutMs: 60_000, logs: told })
  }

  stop(): Promise<void> {
    return this.deployed.stop()
  }

  /** What the application's processes counted, by the example's command. */
  async #totals(): Promise<Totals> {
    const env = { ...process.env, ...this.env }
    const { stdout } = await run(process.execPath, [join(EXAMPLE, 'dist/check.js')], { env, timeout: 60_000 })
    return JSON.parse(stdout) as Totals
  }

  async #append(claps: readonly Clap[]): Promise<void> {
    for (let at = 0; at < claps.length; at += BURST) {
      const events = claps
        .slice(at, at + BURST)
        .map((data) => ({ key: `${data.post}/${data.member}`, type: 'clap', data }))
      const outcomes = await this.operations.append('claps', events)
      expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    }
  }
}

/** Each a clap more of a member for a post, or all of them taken back. */
function someClaps(): readonly Clap[] {
  const versions = new Map<string, number>()
  return Array.from({ length: CLAPS }, () => {
    const [post, member] = [`post-${dice(5)}`, `member-${dice(20)}`]
    const version = (versions.get(post + member) ?? 0) + 1
    versions.set(post + member, version)
    return { post, member, total: dice(10) === 0 ? 0 : Math.min(version, 50), version }
  })
}

/** Of claps in the order of their versions: the newest of each member, summed per post. */
function plainCount(claps: readonly Clap[]): Totals {
  const newest = new Map(claps.map((clap) => [`${clap.post}/${clap.member}`, clap]))
  const totals: Record<string, number> = {}
  for (const { post, total } of newest.values()) totals[post] = (totals[post] ?? 0) + total
  return totals
}

const dice = (sides: number): number => Math.floor(Math.random() * sides)

function shuffled<T>(items: T[]): T[] {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = dice(at + 1)
    ;[items[at], items[other]] = [items[other] as T, items[at] as T]
  }
  return items
}

describe('claps on AWS: duplicates, disorder and failures leave each total what a plain count says (I2)', () => {
  it('in workers, one of them killed with handlers at work', async () => {
    const claps = await Claps.deploy('claps-workers')
    const workers = new Map<string, EddyProcess>()
    const fileOf = (name: string) => join(parent, `in-flight-${name}`)
    const start = async (name: string) => {
      const env = { ...world.env, ...resourceEnv(claps.deployed.resources), ...claps.env }
      const options = ['--engine', 'aws', '--worker', name, '--log-level', 'info']
      workers.set(name, await startEddy([FILE, ...options], { ...env, IN_FLIGHT_FILE: fileOf(name) }))
    }
    const over = new AbortController()
    try {
      await Promise.all([start('one'), start('two')])
      // Little by little until the kill, so that there is always work for it.
      const feeding = (async () => {
        for (let at = 0; at < claps.sent.length && !over.signal.aborted; at += PORTION) {
          await claps.append(at, at + PORTION)
          if (workers.has('one') && workers.has('two')) await sleep(FEED_MS)
        }
      })()
      feeding.catch(() => {})
      const inFlight = await killInFlight(() =>
        [...workers].map(([name, worker]) => ({
          pid: worker.pid,
          inFlight: () => Number(readFileSync(fileOf(name), 'utf8')),
          kill: async () => {
            await worker.kill()
            workers.delete(name)
          },
        })),
      )
      expect(inFlight).toBeGreaterThan(0)
      await start('three')
      await feeding
      await claps.expectRight(() => [...workers.values()].map((worker) => worker.stderr()).join('\n'))
      expect(await Promise.all([...workers.values()].map((worker) => worker.stop()))).toEqual([0, 0])
    } finally {
      over.abort()
      await Promise.all([...workers.values()].map((worker) => worker.kill()))
      await claps.stop()
    }
  })

  it('in functions', async () => {
    const claps = await Claps.deploy('claps-functions')
    try {
      const mapping = claps.deployed.mapStream(SUBSCRIPTION)
      await claps.deployed.mapRetries(SUBSCRIPTION)
      await claps.append(0)
      await claps.expectRight(() => claps.deployed.logs)
      expect(mapping.discarded).toEqual([])
      // Some attempts failed, and what failed came again from the retry queue.
      expect(claps.deployed.fn('retry', SUBSCRIPTION).ends('ok')).toBeGreaterThan(0)
    } finally {
      await claps.stop()
    }
  })
})
