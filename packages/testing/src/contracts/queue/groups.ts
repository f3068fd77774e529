import type { Delivery, QueueMessage } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { accept, deliver, message, QUEUE, receiveRequest } from '../support/queue-samples.ts'

function grouped(group: string, body: string): QueueMessage {
  return { ...message(body), group }
}

export function groupTests(test: ContractTest): void {
  test('I3: messages of a group come in the order they were sent, one at a time; groups run beside each other', async (subject) => {
    const { queue } = subject.engine
    const sent = Array.from({ length: 24 }, (_, i) => grouped(`g${i % 3}`, String(i)))
    // Each waits for the one before: on an engine with faults, entries of one call may be accepted in any order.
    for (const one of sent) await accept(queue, [one])
    const seen: Record<string, string[]> = { g0: [], g1: [], g2: [] }
    let beside = 0
    await subject.eventually('all of them', async () => {
      const deliveries = await queue.receive(receiveRequest({ visibilityMs: 60 }))
      const groups = new Set(deliveries.map(({ group }) => group))
      beside = Math.max(beside, groups.size)
      for (const { group, body, receipt } of deliveries) {
        const bodies = seen[group as string] as string[]
        if (bodies.at(-1) !== body) bodies.push(body)
        await queue.ack(QUEUE, [receipt])
      }
      return (await queue.depth(QUEUE)) === 0 ? true : undefined
    })
    for (const [group, bodies] of Object.entries(seen)) {
      const wanted = sent.filter((one) => one.group === group).map((one) => one.body)
      // What comes again comes before its group goes on.
      expect([...new Set(bodies)]).toEqual(wanted)
      expect(bodies).toEqual(wanted)
    }
    if (!subject.faulty) expect(beside).toBe(3)
  })

  test(
    'the next of a group is delivered only once the one before is acknowledged',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [grouped('a', 'a1'), grouped('a', 'a2'), message('free'), grouped('b', 'b1')])
      const first = await queue.receive(receiveRequest())
      expect(bodiesOf(first)).toEqual(['a1', 'b1', 'free'])
      expect(await queue.receive(receiveRequest())).toEqual([])
      await accept(queue, [grouped('a', 'a3')])
      expect(await queue.receive(receiveRequest())).toEqual([])
      await queue.ack(QUEUE, [receiptOf(first, 'a1')])
      const second = await queue.receive(receiveRequest())
      expect(second).toMatchObject([{ body: 'a2', group: 'a', receiveCount: 1 }])
      await queue.ack(QUEUE, [receiptOf(second, 'a2')])
      expect(bodiesOf(await queue.receive(receiveRequest()))).toEqual(['a3'])
    },
    { strict: true },
  )

  test(
    'a waiting receive is woken by the ack that lets a group go on',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [grouped('a', 'a1'), grouped('a', 'a2')])
      const [first] = await queue.receive(receiveRequest())
      const waiting = queue.receive(receiveRequest({ waitMs: 20_000 }))
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      expect(bodiesOf(await waiting)).toEqual(['a2'])
    },
    { strict: true },
  )

  test(
    'a message that is given back keeps its place: its group waits for it (I5: not early)',
    async (subject) => {
      const { queue, clock } = subject.engine
      await accept(queue, [grouped('a', 'a1'), grouped('a', 'a2'), grouped('b', 'b1')])
      const first = await queue.receive(receiveRequest())
      const delayedAtMs = clock.now()
      await queue.delay(QUEUE, receiptOf(first, 'a1'), 70)
      await queue.ack(QUEUE, [receiptOf(first, 'b1')])
      expect(await queue.receive(receiveRequest())).toEqual([])
      const again = await deliver(subject)
      expect(clock.now()).toBeGreaterThanOrEqual(delayedAtMs + 70)
      expect(again).toMatchObject([{ body: 'a1', receiveCount: 2 }])
    },
    { strict: true },
  )

  test(
    'a message whose visibility timeout passed comes again before the others of its group',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [grouped('a', 'a1'), grouped('a', 'a2')])
      await queue.receive(receiveRequest({ visibilityMs: 30 }))
      await subject.advance(50)
      expect(bodiesOf(await queue.receive(receiveRequest()))).toEqual(['a1'])
    },
    { strict: true },
  )

  test('a delay beside a group, and a group without a name, are refused for good', async ({ engine }) => {
    const results = await engine.queue.send(QUEUE, [
      { ...grouped('a', 'late'), delayMs: 5 },
      grouped('', 'nameless'),
      grouped('x'.repeat(257), 'too long'),
    ])
    for (const result of results) expect(result).toMatchObject({ ok: false, retryable: false })
    expect(await engine.queue.depth(QUEUE)).toBe(0)
  })

  test(
    'a purge takes what waits in groups along; the groups begin anew',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [grouped('a', 'a1'), grouped('a', 'a2'), grouped('b', 'b1')])
      const [inFlight] = await queue.receive(receiveRequest({ maxMessages: 1 }))
      await queue.purge(QUEUE)
      expect(await queue.depth(QUEUE)).toBe(0)
      await queue.ack(QUEUE, [inFlight?.receipt ?? ''])
      expect(await queue.receive(receiveRequest())).toEqual([])
      await accept(queue, [grouped('a', 'after 1'), grouped('a', 'after 2')])
      const [first] = await queue.receive(receiveRequest())
      expect(first?.body).toBe('after 1')
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      expect(bodiesOf(await queue.receive(receiveRequest()))).toEqual(['after 2'])
    },
    { strict: true },
  )

  test(
    'groups and their order survive a kill',
    async (subject) => {
      const { queue } = subject.engine
      await accept(
        queue,
        ['a1', 'a2', 'a3'].map((body) => grouped('a', body)),
      )
      const [first] = await queue.receive(receiveRequest())
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      await queue.receive(receiveRequest({ visibilityMs: 40 }))
      const engine = await subject.reopen()
      const seen: string[] = []
      await subject.eventually('the other two', async () => {
        for (const { body, receipt } of await engine.queue.receive(receiveRequest({ visibilityMs: 500 }))) {
          seen.push(body)
          await engine.queue.ack(QUEUE, [receipt])
        }
        return seen.length >= 2 ? true : undefined
      })
      expect(seen).toEqual(['a2', 'a3'])
    },
    { needs: 'reopen', strict: true },
  )
}

function bodiesOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ body }) => body).sort()
}

function receiptOf(deliveries: readonly Delivery[], body: string): string {
  return deliveries.find((delivery) => delivery.body === body)?.receipt ?? ''
}
