import {
  type AppDefinition,
  type Blocks,
  defineApp,
  exponential,
  type FailureOptions,
  stream,
  subscribe,
} from 'eddy'
import { Activity } from './activity.ts'
import { type GitChange, gitChangeSchema } from './git-change.ts'
import { OrderCheck } from './order-check.ts'
import type { Projection } from './projection.ts'

export const STREAM = 'git-changes'
export const SUBSCRIPTION = 'changes-per-path'

export interface GitHistoryOptions {
  readonly projection: Projection
  /** What waits while a failed change is retried; default `key`. */
  readonly blocks?: Blocks
  /** Share of attempts that fail at random, 0 to 1; default 0. */
  readonly failRate?: number
  readonly activity?: Activity
  /** A number in [0, 1); default `Math.random`. */
  readonly random?: () => number
}

/** The application: a stream of file changes, and a subscription that counts them per path and per author. */
export function gitHistoryApp(options: GitHistoryOptions): AppDefinition {
  const { projection, blocks = 'key', failRate = 0, random = Math.random } = options
  const activity = options.activity ?? new Activity()
  const order = new OrderCheck((path) => projection.countOf(path))
  const changes = stream<GitChange>(STREAM, { shards: 4, schema: gitChangeSchema })

  const failAtRandom = (moment: string) => {
    // Two moments: together they make an attempt fail with probability `failRate`.
    if (random() >= 1 - Math.sqrt(1 - failRate)) return
    activity.fail()
    throw new RandomFailure(moment)
  }

  const counting = subscribe(SUBSCRIPTION, changes, {
    concurrency: 64,
    // What is unresolved when a process is killed is handled one by one at the next start: a small window.
    maxBufferedRecords: 512,
    failure: failureOptions(blocks),
    handle: async ({ data: change }, ctx) => {
      activity.begin(ctx.attempt)
      const violations = order.start(change, ctx)
      try {
        for (const violation of violations) await projection.report(violation)
        failAtRandom('before the change was counted')
        await projection.count(change)
        // The worse moment: the work is done, and the next attempt must not do it twice.
        failAtRandom('after the change was counted')
      } finally {
        order.end(change)
        activity.end()
      }
    },
  })
  return defineApp({ subscriptions: [counting] })
}

/** No change may be given up, so the tries are many. */
function failureOptions(blocks: Blocks): FailureOptions {
  const tries = {
    retry: exponential({ initialMs: 10, maxMs: 1_000, maxAttempts: 30 }),
    // A process that is killed often kills no event's process: none of them is to blame.
    maxCrashes: 100,
  } as const
  if (blocks === 'key') return { ...tries, blocks, exhausted: 'hold' }
  if (blocks === 'shard') return { ...tries, blocks, exhausted: 'hold' }
  return { ...tries, blocks, exhausted: 'dead-letter' }
}

export class RandomFailure extends Error {
  constructor(moment: string) {
    super(`failed at random ${moment}`)
    this.name = 'RandomFailure'
  }
}
