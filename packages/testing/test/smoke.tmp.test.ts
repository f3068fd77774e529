import { defineApp, fixed, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { SimWorld } from '../src/sim/sim-world.ts'

for (const blocks of ['nothing', 'key', 'shard'] as const) {
  test(`smoke ${blocks}`, async () => {
    const world = new SimWorld({ seed: 1 })
    const engine = world.boot()
    const calls: string[] = []
    const s = stream('orders', { shards: 2 })
    const app = defineApp({
      subscriptions: [
        subscribe('billing', s, {
          failure: {
            blocks,
            exhausted: 'dead-letter',
            retry: fixed({ delayMs: 1000, maxAttempts: 3, jitter: 'none' }),
          } as never,
          handle: (event, ctx) => {
            calls.push(`${world.clock.monotonicMs()} ${event.id} #${ctx.attempt} ${ctx.path}`)
            if (event.id === 'a1') throw new Error('boom')
          },
        }),
      ],
    })
    const runtime = await world.clock.settle(startRuntime({ engine, app }))
    await world.clock.settle(
      runtime.append('orders', [
        { key: 'a', id: 'a1', data: {} },
        { key: 'a', id: 'a2', data: {} },
        { key: 'b', id: 'b1', data: {} },
      ]),
    )
    await world.clock.advance(10_000)
    console.log(calls)
    console.log(
      JSON.stringify(
        (await world.clock.settle(runtime.operations.listFailures({}))).items.map((i) => [
          i.eventId,
          i.status,
          i.reason,
          i.attempts,
        ]),
        null,
        1,
      ),
    )
    console.log(JSON.stringify(await world.clock.settle(runtime.operations.showSubscription('billing'))))
    await world.clock.settle(runtime.stop())
    expect(calls.length).toBeGreaterThan(3)
  })
}
