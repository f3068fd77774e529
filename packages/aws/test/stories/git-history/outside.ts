import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AppDefinition,
  type Blocks,
  createInvocations,
  defineApp,
  type Engine,
  type Operations,
  type SubscriptionStatus,
  stream,
  subscribe,
} from '@eddy/core'
import { patiently } from '../support/patiently.ts'
import { type Change, type History, type Verdict, verdictOf } from './history.ts'

export const STREAM = 'git-changes'
export const SUBSCRIPTION = 'changes-per-path'

const SHARDS = 4
const FAIL_RATE = 0.03
const FEED_MS = 400
const SHARE = 40
const BURST = 200
/** How often it is looked whether all is done. */
const LOOK_MS = 1_000

/** The application as whoever looks at it from outside knows it: nothing is ever handled here. */
export function outsideApp(blocks: Blocks): AppDefinition {
  const failure = blocks === 'nothing' ? ({ blocks } as const) : ({ blocks, exhausted: 'hold' } as const)
  const handle = () => {
    throw new Error('who looks handles nothing')
  }
  return defineApp({
    subscriptions: [subscribe(SUBSCRIPTION, stream(STREAM, { shards: SHARDS }), { failure, handle })],
  })
}

/** What every process of the application is told, by the variables that the example reads. */
export function settingsOf(blocks: Blocks, directory: string): Readonly<Record<string, string>> {
  return { EDDY_EXAMPLE_DIR: directory, EDDY_BLOCKS: blocks, EDDY_FAIL_RATE: String(FAIL_RATE) }
}

/** Who puts the example's events into the stream, and looks at what became of them. */
export class Outside {
  appended = 0
  readonly #engine: Engine
  readonly #operations: Operations
  readonly #blocks: Blocks
  readonly #directory: string

  /** @param directory - with the projection */
  constructor(engine: Engine, blocks: Blocks, directory: string) {
    this.#engine = engine
    this.#operations = createInvocations({ engine, app: outsideApp(blocks), processId: 'outside' }).operations
    this.#blocks = blocks
    this.#directory = directory
  }

  /**
   * Appends in order, in bursts. While kills are to come, each burst is a small share of what is left, so that there is always
   * work for them.
   *
   * @throws Error when an event is refused
   */
  async feed(changes: readonly Change[], areKillsToCome: () => boolean, signal: AbortSignal): Promise<void> {
    while (this.appended < changes.length && !signal.aborted) {
      const left = changes.length - this.appended
      const count = areKillsToCome() ? Math.ceil(left / SHARE) : Math.min(left, BURST)
      const part = changes.slice(this.appended, this.appended + count)
      const outcomes = await this.#operations.append(
        STREAM,
        part.map((data) => ({ key: data.path, type: 'git.change', time: data.authoredAt, data })),
      )
      const refused = outcomes.find(({ ok }) => !ok)
      if (refused !== undefined) throw new Error(`not appended: ${JSON.stringify(refused)}`)
      this.appended += part.length
      await sleep(FEED_MS)
    }
  }

  /**
   * Waits until the projection is as Git has it and nothing is left to retry, then compares once more: what would be counted
   * twice has been by then.
   *
   * @throws Error with what is missing, when that takes too long
   */
  async settled(history: History, timeoutMs: number): Promise<Verdict> {
    const compare = () => verdictOf(history, this.#directory, this.#blocks)
    const deadline = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const verdict = await compare()
      const { retrying, held } = await this.status()
      if (verdict.differences.length === 0 && retrying + held === 0) return await compare()
      if (deadline.aborted) {
        const { changes, differences, violations } = verdict
        const found = { appended: this.appended, changes, differences, violations, ...(await this.#left()) }
        throw new Error(`not done within ${timeoutMs} ms: ${JSON.stringify(found, undefined, 1)}`)
      }
      await sleep(LOOK_MS)
    }
  }

  status(): Promise<SubscriptionStatus> {
    return patiently(() => this.#operations.showSubscription(SUBSCRIPTION))
  }

  /** What is stored of what is not done with. */
  async #left(): Promise<object> {
    const { table, queue } = this.#engine
    const { items } = await patiently(() => this.#operations.listFailures({ status: 'retrying' }))
    const leases = await patiently(() => table.query({ partition: 'lease', limit: 100 }))
    return {
      nowMs: Date.now(),
      status: await this.status(),
      failures: items.slice(0, 5),
      tokens: await queue.stats(`retry/${SUBSCRIPTION}`),
      leases: leases.items.map(({ sort, value }) => `${sort} ${JSON.stringify(value)}`),
    }
  }
}
