import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery, Queue } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { expect, test } from 'vitest'
import { openEnvironment } from '../../src/store/environment.ts'
import { movableClock, openEngine } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function receive(
  queue: Queue,
  more: Partial<Parameters<Queue['receive']>[0]> = {},
): Promise<readonly Delivery[]> {
  return queue.receive({ queue: 'q', maxMessages: 1_000, visibilityMs: 60_000, waitMs: 0, ...more })
}

const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ body }) => body)

test('I5: with many due times nothing is early, nothing is lost, and receivers wake without being called', async () => {
  const { queue, clock } = await openEngine()
  const count = 500
  const messages = Array.from({ length: count }, () => ({
    delayMs: Math.floor(clock.random() * 800),
    body: '',
  }))
  const atMs = clock.now()
  await queue.send(
    'q',
    messages.map((m) => ({ ...m, body: String(atMs + m.delayMs) })),
  )
  let got = 0
  const receiver = async (): Promise<void> => {
    while (got < count) {
      const deliveries = await receive(queue, { maxMessages: 7, waitMs: 3_000 })
      for (const { body } of deliveries) expect(clock.now()).toBeGreaterThanOrEqual(Number(body))
      got += deliveries.length
      await queue.ack(
        'q',
        deliveries.map(({ receipt }) => receipt),
      )
      if (deliveries.length === 0) return
    }
  }
  // The last receivers wait until the queue proves empty to them.
  await Promise.race([Promise.all([receiver(), receiver(), receiver()]), clock.sleep(2_500)])
  expect(got).toBe(count)
  expect(await queue.depth('q')).toBe(0)
})

test('after a kill everything unacknowledged is due again, and numbers are not used twice', async () => {
  const folder = await temporaryFolder()
  const engine = await openEngine({ dataDir: join(folder, 'data') })
  const sent = await engine.queue.send(
    'q',
    ['a', 'b', 'c'].map((body) => ({ body, delayMs: 0 })),
  )
  const [first] = await receive(engine.queue, { maxMessages: 1 })
  await engine.queue.ack('q', [first?.receipt as string])
  await receive(engine.queue, { maxMessages: 1 })
  await cp(join(folder, 'data'), join(folder, 'left'), {
    recursive: true,
    filter: (path) => !/guard|owner\.json|lock\.mdb/.test(path),
  })
  const again = await openEngine({ dataDir: join(folder, 'left') })
  expect(await again.queue.depth('q')).toBe(2)
  expect(bodies(await receive(again.queue))).toEqual(['b', 'c'])
  const later = await again.queue.send('q', [{ body: 'd', delayMs: 0 }])
  const ids = [...sent, ...later].map((result) => result.ok && result.messageId)
  expect(new Set(ids).size).toBe(4)
})

test('a message that lands before what was already read is not overlooked, though the clock jumps back', async () => {
  const clock = movableClock()
  const { queue } = await openEngine({ clock })
  await queue.send('q', [{ body: 'now', delayMs: 0 }])
  expect(bodies(await receive(queue))).toEqual(['now'])
  clock.leap(-3_600_000)
  await queue.send('q', [{ body: 'before', delayMs: 0 }])
  expect(bodies(await receive(queue))).toEqual(['before'])
})

test('a clock that leaps forward makes messages due within a second, also for a waiting receiver', async () => {
  const clock = movableClock()
  const { queue } = await openEngine({ clock })
  await queue.send('q', [{ body: 'tomorrow', delayMs: 86_400_000 }])
  const waiting = receive(queue, { waitMs: 20_000 })
  clock.leap(86_400_001)
  expect(bodies(await waiting)).toEqual(['tomorrow'])
})

test('many deliveries that come back at once are all found again (Q1, Q3)', async () => {
  const { queue } = await openEngine()
  const count = 25_000
  await queue.send(
    'q',
    Array.from({ length: count }, (_, i) => ({ body: String(i), delayMs: 0 })),
  )
  const take = async (visibilityMs: number): Promise<Delivery[]> => {
    const all: Delivery[] = []
    for (;;) {
      const some = await receive(queue, { visibilityMs })
      if (some.length === 0) return all
      all.push(...some)
    }
  }
  // Longer than a slow machine needs to take them: those that come back meanwhile would be taken again and again.
  const first = await take(4_000)
  expect(new Set(bodies(first)).size).toBe(count)
  // On a slow machine they come back over as long a time as it took to take them.
  const second: Delivery[] = []
  await expect
    .poll(
      async () => {
        second.push(...(await take(60_000)))
        return second.length
      },
      { timeout: 30_000 },
    )
    .toBe(count)
  expect(new Set(bodies(second)).size).toBe(count)
  expect(second.every(({ receiveCount }) => receiveCount >= 2)).toBe(true)
  await queue.ack(
    'q',
    first.map(({ receipt }) => receipt),
  )
  expect(await queue.depth('q')).toBe(count)
  await queue.ack(
    'q',
    second.map(({ receipt }) => receipt),
  )
  expect(await queue.depth('q')).toBe(0)
}, 60_000)

test('delay keeps the receive count over a reopen', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir })
  await engine.queue.send('q', [{ body: 'x', delayMs: 0 }])
  for (let i = 0; i < 2; i++) {
    const [delivery] = await receive(engine.queue, { waitMs: 1_000 })
    await engine.queue.delay('q', delivery?.receipt as string, 0)
  }
  await engine.close()
  const { queue } = await openEngine({ dataDir })
  expect(await receive(queue)).toMatchObject([{ body: 'x', receiveCount: 3 }])
})

test('a purge removes what is there and leaves what is sent after it', async () => {
  const { queue } = await openEngine()
  await queue.send(
    'q',
    Array.from({ length: 12_000 }, (_, i) => ({ body: String(i), delayMs: i % 3 })),
  )
  const [inFlight] = await receive(queue, { maxMessages: 1, waitMs: 1_000 })
  await queue.purge('q')
  expect(await queue.depth('q')).toBe(0)
  await queue.ack('q', [inFlight?.receipt as string])
  expect(await queue.depth('q')).toBe(0)
  await queue.send('q', [{ body: 'later', delayMs: 0 }])
  expect(bodies(await receive(queue))).toEqual(['later'])
})

test('a waiting receiver returns when the engine closes', async () => {
  const engine = await openEngine()
  const waiting = receive(engine.queue, { waitMs: 60_000 })
  await engine.close()
  expect(await waiting).toEqual([])
})

test('messages of data format 1 are delivered as they are; the directory is of the present format then', async () => {
  const folder = await temporaryFolder()
  const dataDir = join(folder, 'data')
  const engine = await openEngine({ dataDir })
  await engine.queue.send('q', [{ body: 'old', delayMs: 0 }])
  await engine.close()
  await rewriteAsFormat1(dataDir)
  const again = await openEngine({ dataDir })
  const [delivery] = await receive(again.queue)
  expect(delivery).toMatchObject({ body: 'old', receiveCount: 201 })
  await again.queue.delay('q', delivery?.receipt as string, 0)
  expect(await receive(again.queue)).toMatchObject([{ body: 'old', receiveCount: 202 }])
  expect(JSON.parse(await readFile(join(dataDir, 'eddy.json'), 'utf8'))).toMatchObject({ format: 2 })
})

/** A message as format 1 stored it: receive count, body. */
async function rewriteAsFormat1(dataDir: string): Promise<void> {
  const environment = openEnvironment({ path: join(dataDir, 'store'), readOnly: false, sync: 'fsync' })
  const messages = environment.openMap('messages')
  for (const { key } of [...messages.getRange({})]) {
    const value = Buffer.from('\0\0\0\0old')
    value.writeUInt32LE(200, 0)
    await messages.put(Buffer.from(key), value)
  }
  await environment.close()
  const file = join(dataDir, 'eddy.json')
  await writeFile(file, (await readFile(file, 'utf8')).replace('"format":2', '"format":1'))
}
