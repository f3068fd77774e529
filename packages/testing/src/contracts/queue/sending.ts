import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { accept, deliver, drain, message, QUEUE, receiveRequest } from '../support/queue-samples.ts'

const DAY_MS = 86_400_000

export function sendTests(test: ContractTest): void {
  test('every accepted message is delivered, with the body it was sent with', async (subject) => {
    const bodies = ['', 'plain', 'zwölf \u{1f600} 日本', '{"json":true}\n', 'x'.repeat(1_048_576)]
    const ids = await accept(
      subject.engine.queue,
      bodies.map((body) => message(body)),
    )
    expect(new Set(ids).size).toBe(bodies.length)
    expect(new Set(await drain(subject))).toEqual(new Set(bodies))
  })

  test(
    'without faults, each is delivered once',
    async (subject) => {
      const bodies = Array.from({ length: 100 }, (_, i) => `message ${i}`)
      await accept(
        subject.engine.queue,
        bodies.map((body) => message(body)),
      )
      expect((await drain(subject)).sort()).toEqual([...bodies].sort())
      expect(await subject.engine.queue.receive(receiveRequest())).toEqual([])
    },
    { strict: true },
  )

  test('a wrong message fails alone, for good', async (subject) => {
    const results = await subject.engine.queue.send(QUEUE, [
      message('good'),
      message('x'.repeat(1_048_577)),
      message('negative delay', -1),
      message('over a year', 365 * DAY_MS + 1),
      message('last', 365 * DAY_MS),
    ])
    expect(results.map((result) => result.ok)).toEqual([true, false, false, false, true])
    for (const result of results.slice(1, 4)) expect(result).toMatchObject({ retryable: false })
    const delivered = await deliver(subject)
    expect(delivered[0]?.body).toBe('good')
  })

  test('queues are separate and come into being with their first message', async (subject) => {
    const { queue } = subject.engine
    expect(await queue.receive(receiveRequest({ queue: 'never used' }))).toEqual([])
    expect(await queue.depth('never used')).toBe(0)
    await queue.ack('never used', ['receipt'])
    await queue.delay('never used', 'receipt', 0)
    await queue.purge('never used')
    await accept(queue, [message('here')])
    expect(await queue.receive(receiveRequest({ queue: `${QUEUE}2` }))).toEqual([])
    expect(await queue.depth(`${QUEUE}2`)).toBe(0)
    expect((await deliver(subject)).map((delivery) => delivery.body)).toContain('here')
  })
}

export function depthTests(test: ContractTest): void {
  test('depth counts what is not acknowledged: due, delayed and in flight', async (subject) => {
    const { queue } = subject.engine
    await accept(queue, [message('in flight')])
    const [inFlight] = await deliver(subject)
    await accept(queue, [message('due'), message('delayed', DAY_MS)])
    if (!subject.faulty) expect(await queue.depth(QUEUE)).toBe(3)
    expect(await queue.depth(QUEUE)).toBeGreaterThanOrEqual(3)
    await queue.ack(QUEUE, [inFlight?.receipt ?? ''])
    if (!subject.faulty) expect(await queue.depth(QUEUE)).toBe(2)
  })

  test(
    'stats tell what is in flight, what is not due yet, and since when the oldest is due',
    async (subject) => {
      const { queue, clock } = subject.engine
      expect(await queue.stats(QUEUE)).toEqual({
        messages: 0,
        inFlight: 0,
        delayed: 0,
        oldestDueAtMs: undefined,
      })
      const fromMs = clock.now()
      await accept(queue, [message('in flight')])
      const [inFlight] = await queue.receive(receiveRequest())
      expect(inFlight?.sentAtMs).toBeGreaterThanOrEqual(fromMs)
      const untilMs = clock.now() + 1
      await subject.advance(20)
      await accept(queue, [message('due'), message('delayed', DAY_MS), message('delayed', DAY_MS)])
      const stats = await queue.stats(QUEUE)
      expect(stats).toMatchObject({ messages: 4, inFlight: 1, delayed: 2 })
      expect(stats.oldestDueAtMs).toBeGreaterThanOrEqual(fromMs)
      expect(stats.oldestDueAtMs).toBeLessThanOrEqual(untilMs)
    },
    { strict: true },
  )

  test(
    'sequence numbers rise with what is accepted, and stay with their message',
    async (subject) => {
      const { queue } = subject.engine
      for (const body of ['a', 'b', 'c']) await accept(queue, [message(body)])
      const first = await queue.receive(receiveRequest({ visibilityMs: 20 }))
      const numbers = first.map(({ sequenceNumber }) => BigInt(sequenceNumber))
      expect(numbers[1]).toBeGreaterThan(numbers[0] as bigint)
      expect(numbers[2]).toBeGreaterThan(numbers[1] as bigint)
      await subject.advance(30)
      const again = await queue.receive(receiveRequest())
      expect(again.map(({ sequenceNumber }) => BigInt(sequenceNumber))).toEqual(numbers)
      expect(again.map(({ sentAtMs }) => sentAtMs)).toEqual(first.map(({ sentAtMs }) => sentAtMs))
    },
    { strict: true },
  )

  test('purge removes every message: due, delayed and in flight', async (subject) => {
    const { queue } = subject.engine
    await accept(queue, [message('in flight'), message('delayed', 40)])
    const [inFlight] = await deliver(subject, { maxMessages: 1 })
    await queue.purge(QUEUE)
    expect(await queue.depth(QUEUE)).toBe(0)
    await queue.delay(QUEUE, inFlight?.receipt ?? '', 0)
    await queue.ack(QUEUE, [inFlight?.receipt ?? ''])
    await subject.advance(60)
    expect(await queue.receive(receiveRequest())).toEqual([])
    await accept(queue, [message('after')])
    expect(new Set(await drain(subject))).toEqual(new Set(['after']))
  })
}

export function queueRestartTests(test: ContractTest): void {
  test(
    'accepted messages survive a kill: due, delayed and in flight; acknowledged ones stay away',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('acknowledged')])
      const [done] = await deliver(subject)
      await queue.ack(QUEUE, [done?.receipt ?? ''])
      await accept(queue, [message('in flight')])
      await deliver(subject, { visibilityMs: 40 })
      await accept(queue, [message('due'), message('delayed', 80)])
      const engine = await subject.reopen()
      const seen = new Set<string>()
      await subject.eventually('three messages', async () => {
        const deliveries = await engine.queue.receive(receiveRequest({ visibilityMs: 500 }))
        for (const { body, receipt } of deliveries) {
          seen.add(body)
          await engine.queue.ack(QUEUE, [receipt])
        }
        return seen.size >= 3 ? true : undefined
      })
      if (!subject.faulty) expect([...seen].sort()).toEqual(['delayed', 'due', 'in flight'])
    },
    { needs: 'reopen' },
  )

  test(
    'a delay survives a kill and still is not early (I5)',
    async (subject) => {
      const sentAtMs = subject.engine.clock.now()
      await accept(subject.engine.queue, [message('delayed', 120)])
      const engine = await subject.reopen()
      await subject.eventually('the delayed message', async () => {
        const deliveries = await engine.queue.receive(receiveRequest())
        if (deliveries.length === 0) return undefined
        expect(engine.clock.now()).toBeGreaterThanOrEqual(sentAtMs + 120)
        return true
      })
    },
    { needs: 'reopen' },
  )
}
