import { defineApp, type From, type ReadRequest, startRuntime, stream, subscribe } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { Workplace } from './support/workplace.ts'

const STEPS = 100
const SHARDS = 2

/** Calls of `Log.read` a shard, while `STEPS` small appends are handled by every subscription. */
async function readsOf(subscriptions: number, from: From, inStep: boolean): Promise<Map<string, number>> {
  const place = await Workplace.open()
  const engine = await openEmbedded({ dataDir: place.path('data') })
  const reads = new Map<string, number>()
  const read = engine.log.read.bind(engine.log)
  engine.log.read = (request: ReadRequest) => {
    reads.set(request.shardId, (reads.get(request.shardId) ?? 0) + 1)
    return read(request)
  }
  const s = stream<number>('s', { shards: SHARDS })
  const handled = new Array<number>(subscriptions).fill(0)
  const app = defineApp({
    subscriptions: handled.map((_, index) =>
      subscribe(`sub-${index}`, s, {
        from,
        handle: () => {
          handled[index] = (handled[index] as number) + 1
        },
      }),
    ),
  })
  const runtime = await startRuntime({ engine, app })
  await until(() => reads.size === SHARDS)
  // Finding one's place at the start costs each subscription a read or two; from here on all are at the head.
  await new Promise((resolve) => setTimeout(resolve, 50))
  reads.clear()
  for (let step = 1; step <= STEPS; step += 1) {
    // One record a shard and step.
    await runtime.append('s', [
      { key: 'low', explicitHashKey: '0', data: step },
      { key: 'high', explicitHashKey: String(2n ** 128n - 1n), data: step },
    ])
    if (inStep) while (handled.some((count) => count < step * SHARDS)) await new Promise(setImmediate)
  }
  await until(() => handled.every((count) => count === STEPS * SHARDS))
  await runtime.stop()
  await engine.close()
  return reads
}

describe('many subscriptions at the head of a stream', () => {
  it.each([
    { from: 'trim_horizon', inStep: true },
    { from: 'latest', inStep: true },
    { from: 'trim_horizon', inStep: false },
  ] as const)('cost the log the same reads as one ($from, in step: $inStep)', async ({ from, inStep }) => {
    const one = await readsOf(1, from, inStep)
    const twenty = await readsOf(20, from, inStep)
    expect(one.size).toBe(SHARDS)
    for (const [shardId, reads] of one) {
      // A reader that never sees two appends at a time reads once for each.
      expect(reads).toBeGreaterThan(STEPS / 2)
      expect(twenty.get(shardId), `${reads} for one subscription`).toBeLessThanOrEqual(reads * 1.05)
    }
  })
})
