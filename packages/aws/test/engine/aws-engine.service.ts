import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, queue, stream } from '@eddy/core'
import { engineContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { awsEngine } from '../../src/engine/index.ts'
import { type AwsWorld, SCHEDULER_ROLE, startAwsWorld } from '../support/aws-world.ts'

const app = defineApp({
  streams: [stream('orders', { shards: 2 })],
  queues: [queue('emails'), queue('letters', { group: 'to' })],
  subscriptions: [],
})
let world: AwsWorld
let names = 0

beforeAll(async () => {
  world = await startAwsWorld()
})

afterAll(async () => {
  await world?.close()
})

const open = (name: string) =>
  awsEngine({
    app,
    resources: { name, bucket: `${name}-payloads`, schedulerRoleArn: SCHEDULER_ROLE },
    create: true,
    env: { ...process.env, ...world.env },
  })

describe('The engine on AWS', () => {
  it('has its five ports, each with what a deployment made', async () => {
    const engine = await open('shop')
    try {
      await engine.log.createStream({
        name: 'orders',
        shardCount: 2,
        retentionMs: 86_400_000,
        durability: 'fsync',
      })
      expect(await engine.log.listShards('orders')).toHaveLength(2)
      await engine.table.put(
        { partition: 'hold/charge', sort: 'a', value: { big: 'x'.repeat(400_000) } },
        'absent',
      )
      expect((await engine.table.get({ partition: 'hold/charge', sort: 'a' }))?.version).toBe(1)
      const kept: string[] = []
      for await (const { key } of engine.blobs.list('table/')) kept.push(key)
      expect(kept).toHaveLength(1)
      const sent = await engine.queue.send('queue/letters', [
        { body: 'first', delayMs: 0, group: 'ann' },
        { body: 'second', delayMs: 0, group: 'ann' },
      ])
      expect(sent.map(({ ok }) => ok)).toEqual([true, true])
      const [received] = await engine.queue.receive({
        queue: 'queue/letters',
        maxMessages: 1,
        visibilityMs: 30_000,
        waitMs: 5_000,
      })
      expect(received).toMatchObject({ body: 'first', group: 'ann' })
      await engine.queue.send('retry/charge', [{ body: 'late', delayMs: 20 * 3_600_000 }])
      expect(world.scheduler.requests.map(({ operation }) => operation)).toContain('CreateSchedule')
      expect(world.scheduler.refusals).toEqual([])
    } finally {
      await engine.close()
    }
  })
})

engineContract('the engine on AWS, on kinesalite, fauxqs and dynalite', async () => {
  const name = `contract-${++names}`
  const engine = await open(name)
  return {
    engine,
    advance: (ms) => sleep(ms),
    reopen: () => open(name),
    close: () => engine.close(),
  }
})
