import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppDefinition, type Blocks, defineApp, fixed, stream, subscribe } from 'eddy'

/** What an event makes of the process that handles it. */
export interface Deed {
  readonly index: number
  readonly does: 'nothing' | 'exit' | 'hang'
}

export interface Step {
  readonly stream: string
  readonly index: number
  readonly is: 'begun' | 'done'
}

/**
 * @param streams - names that begin with what their subscription blocks
 * @param file - takes a line for each step
 */
export function poisonApp(streams: readonly string[], file: string): AppDefinition {
  const note = (step: Step): void => appendFileSync(file, `${JSON.stringify(step)}\n`)
  const retry = fixed({ delayMs: 200, maxAttempts: 5 })
  return defineApp({
    subscriptions: streams.map((name) =>
      subscribe(`work-${name}`, stream<Deed>(name, { shards: 1 }), {
        timeoutMs: 1_000,
        failure: { blocks: name.split('-')[0] as Blocks, retry, exhausted: 'dead-letter' },
        handle: async ({ data: { index, does } }) => {
          note({ stream: name, index, is: 'begun' })
          await sleep(5)
          if (does === 'exit') process.exit(1)
          // No signal and no timer gets through: only the function's own time ends it.
          if (does === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
          note({ stream: name, index, is: 'done' })
        },
      }),
    ),
  })
}

/** As functions load it: STREAMS has commas between. */
const { STREAMS = '', STEPS = '' } = process.env
const app: AppDefinition = poisonApp(STREAMS === '' ? [] : STREAMS.split(','), STEPS)

export default app
