import { type AppDefinition, defineApp, type StreamDefinition, stream, subscribe } from 'eddy'

export interface Work {
  /** Rounds of `compute`: so many take the time that was asked for on this machine. */
  readonly rounds: number
}

export const work: StreamDefinition<Work> = stream<Work>('work', { shards: 4 })

export function computeApp(threads: number): AppDefinition {
  const subscription = subscribe('compute', work, {
    threads,
    concurrency: 256,
    handle: ({ data }) => {
      if (compute(data.rounds) === 0.5) throw new Error('an integer is never a half')
    },
  })
  return defineApp({ subscriptions: [subscription] })
}

/** Arithmetic that no compiler can leave out, and that touches no memory. */
export function compute(rounds: number): number {
  let value = rounds
  for (let round = 0; round < rounds; round += 1)
    value = (Math.imul(value ^ round, 0x9e3779b1) >>> 0) ^ (value >>> 13)
  return value
}

const app: AppDefinition = computeApp(0)

export default app
