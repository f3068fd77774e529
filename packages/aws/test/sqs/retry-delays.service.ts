import { defineApp, list, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import { lookingQueue, startVirtualQueues } from '../support/virtual-queues.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DELAYS_MS = [1_000, 10 * MINUTE_MS, 40 * MINUTE_MS, 20 * HOUR_MS]
/** How often the queue is looked at here, where a worker waits with its request. */
const LOOK_MS = 15_000

test('I5: retries in 1 s, 10 min, 40 min and 20 h go their ways and are never early', async () => {
  const virtual = await startVirtualQueues(Date.UTC(2026, 10, 22, 5, 6, 7, 89))
  onTestFinished(() => virtual.close())
  const { world, queues, advanceTo } = virtual
  const transports: string[] = []
  queues.sqs.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const input = args.input as { Entries?: { DelaySeconds?: number }[]; VisibilityTimeout?: number }
        if (commandName === 'SendMessageBatchCommand')
          transports.push(`DelaySeconds ${input.Entries?.map(({ DelaySeconds: delay }) => delay).join()}`)
        if (commandName === 'ChangeMessageVisibilityCommand')
          transports.push(`VisibilityTimeout ${input.VisibilityTimeout}`)
        return next(args)
      },
    { step: 'initialize' },
  )
  const { open } = await queues.application()
  const queue = open()
  const startedAtMs: number[] = []
  const endedAtMs: number[] = []
  const app = defineApp({
    subscriptions: [
      subscribe('work', stream('events', { shards: 1 }), {
        failure: { blocks: 'nothing', retry: list(DELAYS_MS), exhausted: 'dead-letter' },
        handle: async () => {
          startedAtMs.push(world.clock.now())
          await world.clock.sleep(5)
          endedAtMs.push(world.clock.now())
          throw new Error('planned')
        },
      }),
    ],
  })
  const engine = { ...world.boot(), queue: lookingQueue(queue, world, LOOK_MS) }
  const starting = startRuntime({ engine, app })
  await advanceTo(world.clock.now() + 1_000)
  const runtime = await starting
  const appending = runtime.append('events', { key: 'k', id: 'e1', data: {} })
  await advanceTo(world.clock.now() + 1_000)
  await appending
  const totalMs = DELAYS_MS.reduce((sum, delayMs) => sum + delayMs + 2 * MINUTE_MS, 0)
  await advanceTo(world.clock.now() + totalMs)

  const waitsMs = startedAtMs.slice(1).map((atMs, index) => atMs - (endedAtMs[index] as number))
  expect(waitsMs.length).toBe(DELAYS_MS.length)
  for (const [index, delayMs] of DELAYS_MS.entries()) {
    expect(waitsMs[index]).toBeGreaterThanOrEqual(delayMs)
    // A second of SQS' grain and a look at the queue.
    expect(waitsMs[index]).toBeLessThanOrEqual(delayMs + LOOK_MS + 2_000)
  }
  // A token that is in hand is hidden for up to 15 minutes; for longer it is sent anew, one to two minutes early.
  expect(transports.slice(0, 2)).toEqual(['DelaySeconds 1', 'VisibilityTimeout 600'])
  expect(transports.slice(2)).toEqual([
    expect.stringMatching(/^VisibilityTimeout ([6-9]\d|1[01]\d)$/),
    expect.stringMatching(/^VisibilityTimeout ([6-9]\d|1[01]\d)$/),
  ])
  const schedules = queues.scheduler.requests.filter(({ operation }) => operation === 'CreateSchedule')
  expect(schedules.length).toBe(2)
  expect(queues.scheduler.refusals).toEqual([])

  const stopping = runtime.stop()
  await advanceTo(world.clock.now() + 30_000)
  await stopping
})
