import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { accept, deliver, drain, message, QUEUE, receiveRequest } from '../support/queue-samples.ts'

export function receiptTests(test: ContractTest): void {
  test('acknowledged messages are gone, many at a time', async (subject) => {
    const { queue } = subject.engine
    await accept(
      queue,
      Array.from({ length: 30 }, (_, i) => message(String(i))),
    )
    await drain(subject)
    expect(await queue.depth(QUEUE)).toBe(0)
    await subject.advance(20)
    if (!subject.faulty) expect(await queue.receive(receiveRequest())).toEqual([])
  })

  test('an unknown receipt is ignored', async (subject) => {
    const { queue } = subject.engine
    await accept(queue, [message('stays')])
    await queue.ack(QUEUE, ['nonsense', '', '{}', 'm1:1'])
    await queue.delay(QUEUE, 'nonsense', 60_000)
    expect((await deliver(subject))[0]?.body).toBe('stays')
  })

  test(
    'a receipt is void once the visibility timeout has passed, delivered again or not',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('late')])
      const [first] = await deliver(subject, { visibilityMs: 30 })
      await subject.advance(50)
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      await queue.delay(QUEUE, first?.receipt ?? '', 60_000)
      expect(await queue.depth(QUEUE)).toBe(1)
      expect((await deliver(subject))[0]?.body).toBe('late')
    },
    { strict: true },
  )

  test(
    'a void receipt does nothing to the next delivery of its message',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('twice')])
      const [first] = await deliver(subject, { visibilityMs: 30 })
      await subject.advance(40)
      const [second] = await deliver(subject, { visibilityMs: 60_000 })
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      await queue.delay(QUEUE, first?.receipt ?? '', 0)
      expect(await queue.depth(QUEUE)).toBe(1)
      expect(await queue.receive(receiveRequest())).toEqual([])
      await queue.ack(QUEUE, [second?.receipt ?? ''])
      expect(await queue.depth(QUEUE)).toBe(0)
    },
    { strict: true },
  )
}

export function delayTests(test: ContractTest): void {
  test('delay makes the message due again then, not before (I5)', async (subject) => {
    const { queue, clock } = subject.engine
    await accept(queue, [message('later')])
    // On a faulty engine a receipt can be void at any time: a message that was not delayed proves nothing.
    const [first] = await deliver(subject)
    const delayedAtMs = clock.now()
    await queue.delay(QUEUE, first?.receipt ?? '', 70)
    const [second] = await deliver(subject)
    expect(second?.body).toBe('later')
    if (subject.faulty) return
    expect(clock.now()).toBeGreaterThanOrEqual(delayedAtMs + 70)
    expect(second?.receiveCount).toBe(2)
  })

  test(
    'delay takes the message back at once, though its visibility would last; 0 makes it due now',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('back')])
      const [first] = await deliver(subject, { visibilityMs: 3_600_000 })
      await queue.delay(QUEUE, first?.receipt ?? '', 0)
      const [second] = await queue.receive(receiveRequest())
      expect(second).toMatchObject({ body: 'back', receiveCount: 2 })
    },
    { strict: true },
  )

  test(
    'delay makes its receipt void',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('kept')])
      const [first] = await deliver(subject)
      await queue.delay(QUEUE, first?.receipt ?? '', 0)
      await queue.ack(QUEUE, [first?.receipt ?? ''])
      expect(await queue.depth(QUEUE)).toBe(1)
    },
    { strict: true },
  )

  test(
    'delay and ack survive a kill',
    async (subject) => {
      const { queue, clock } = subject.engine
      await accept(queue, [message('acknowledged'), message('delayed')])
      const deliveries = await queue.receive(receiveRequest())
      const receiptOf = (body: string): string => deliveries.find((d) => d.body === body)?.receipt ?? ''
      await queue.ack(QUEUE, [receiptOf('acknowledged')])
      const delayedAtMs = clock.now()
      await queue.delay(QUEUE, receiptOf('delayed'), 80)
      const engine = await subject.reopen()
      const again = await subject.eventually('the delayed message', async () => {
        const received = await engine.queue.receive(receiveRequest())
        return received.length > 0 ? received : undefined
      })
      expect(engine.clock.now()).toBeGreaterThanOrEqual(delayedAtMs + 80)
      expect(again.map((delivery) => delivery.body)).toEqual(['delayed'])
    },
    { needs: 'reopen', strict: true },
  )
}
