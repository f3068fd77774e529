import { expect } from 'vitest'
import { type ContractTest, expectCode, expectWoken, LONG_WAIT_MS } from '../support/contract-test.ts'
import { accept, deliver, message, QUEUE, receiveRequest } from '../support/queue-samples.ts'

export function receiveTests(test: ContractTest): void {
  test('I5: nothing is delivered before its due time, and everything after it', async (subject) => {
    const { queue, clock } = subject.engine
    const delays = [0, 60, 20, 110, 40, 40, 90]
    const sentAtMs = clock.now()
    await accept(
      queue,
      delays.map((delayMs, i) => message(`${i}:${delayMs}`, delayMs)),
    )
    const seen = new Set<string>()
    await subject.eventually('all of them', async () => {
      for (const { body, receipt } of await queue.receive(receiveRequest({ visibilityMs: 1_000 }))) {
        expect(clock.now()).toBeGreaterThanOrEqual(sentAtMs + Number(body.split(':')[1]))
        seen.add(body)
        await queue.ack(QUEUE, [receipt])
      }
      return seen.size === delays.length ? true : undefined
    })
  })

  test(
    'due messages come oldest due time first; a later message may overtake',
    async (subject) => {
      const { queue } = subject.engine
      // One call, so that the time it takes does not change what is due first.
      await accept(queue, [
        message('third', 45),
        message('first', 15),
        message('second', 30),
        message('at once'),
      ])
      await subject.advance(60)
      const bodies: string[] = []
      for (let i = 0; i < 4; i++) {
        const [delivery] = await queue.receive(receiveRequest({ maxMessages: 1 }))
        bodies.push(delivery?.body ?? 'nothing')
      }
      expect(bodies).toEqual(['at once', 'first', 'second', 'third'])
    },
    { strict: true },
  )

  test('a receive keeps to maxMessages', async (subject) => {
    await accept(
      subject.engine.queue,
      Array.from({ length: 10 }, (_, i) => message(String(i))),
    )
    const deliveries = await deliver(subject, { maxMessages: 4 })
    expect(deliveries.length).toBeLessThanOrEqual(4)
    expect(new Set(deliveries.map((delivery) => delivery.receipt)).size).toBe(deliveries.length)
  })

  test('bounds: maxMessages is 1 to 1,000', async ({ engine }) => {
    for (const maxMessages of [0, 1_001]) {
      await expectCode(engine.queue.receive(receiveRequest({ maxMessages })), 'EDDY_INVALID_OPTION')
    }
  })
}

export function visibilityTests(test: ContractTest): void {
  test(
    'a delivered message is hidden from other receivers',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [message('one')])
      expect(await queue.receive(receiveRequest())).toMatchObject([{ body: 'one', receiveCount: 1 }])
      expect(await queue.receive(receiveRequest())).toEqual([])
    },
    { strict: true },
  )

  test(
    'concurrent receivers share the messages, each to one of them',
    async (subject) => {
      const { queue } = subject.engine
      await accept(
        queue,
        Array.from({ length: 40 }, (_, i) => message(String(i))),
      )
      const deliveries = await Promise.all(
        Array.from({ length: 8 }, () => queue.receive(receiveRequest({ maxMessages: 5 }))),
      )
      const bodies = deliveries.flat().map((delivery) => delivery.body)
      expect(bodies).toHaveLength(40)
      expect(new Set(bodies).size).toBe(40)
    },
    { strict: true },
  )

  test('what is not acknowledged comes again after the visibility timeout, counted', async (subject) => {
    const { queue, clock } = subject.engine
    await accept(queue, [message('again')])
    const receivedAtMs = clock.now()
    const [first] = await deliver(subject, { visibilityMs: 50 })
    const [second] = await deliver(subject)
    if (!subject.faulty) expect(clock.now()).toBeGreaterThanOrEqual(receivedAtMs + 50)
    expect(second?.body).toBe('again')
    expect(second?.receipt).not.toBe(first?.receipt)
    expect(second?.receiveCount).toBeGreaterThan(first?.receiveCount ?? Number.NaN)
    if (!subject.faulty) expect([first?.receiveCount, second?.receiveCount]).toEqual([1, 2])
    if (!subject.faulty) expect(second?.messageId).toBe(first?.messageId)
  })
}

export function waitTests(test: ContractTest): void {
  test('a waiting receive is woken by a send', async (subject) => {
    const deliveries = await expectWoken(subject.engine.clock, async () => {
      const receiving = deliver(subject, { waitMs: LONG_WAIT_MS })
      await accept(subject.engine.queue, [message('woke')])
      return receiving
    })
    expect(deliveries.map((delivery) => delivery.body)).toContain('woke')
  })

  test('a waiting receive is woken by a message that becomes due (I5: not before)', async (subject) => {
    const { queue, clock } = subject.engine
    const sentAtMs = clock.now()
    await accept(queue, [message('due', 60)])
    const deliveries = await expectWoken(clock, () => deliver(subject, { waitMs: LONG_WAIT_MS }))
    expect(deliveries[0]?.body).toBe('due')
    expect(clock.now()).toBeGreaterThanOrEqual(sentAtMs + 60)
  })

  test('a waiting receive is woken by a visibility timeout', async (subject) => {
    await accept(subject.engine.queue, [message('again')])
    await deliver(subject, { visibilityMs: 50 })
    const { clock } = subject.engine
    const deliveries = await expectWoken(clock, () => deliver(subject, { waitMs: LONG_WAIT_MS }))
    expect(deliveries[0]?.body).toBe('again')
  })

  test('a wait without a message ends by itself, empty', async (subject) => {
    const receiving = subject.engine.queue.receive(receiveRequest({ waitMs: 30 }))
    await subject.advance(40)
    expect(await receiving).toEqual([])
  })

  test('a wait ends early, empty, when its signal aborts', async ({ engine }) => {
    const abort = new AbortController()
    const waiting = receiveRequest({ waitMs: LONG_WAIT_MS, signal: abort.signal })
    await expectWoken(engine.clock, async () => {
      const receiving = engine.queue.receive(waiting)
      abort.abort()
      expect(await receiving).toEqual([])
      expect(await engine.queue.receive(waiting)).toEqual([])
    })
  })

  test('two waiting receivers get one message each', async (subject) => {
    const deliveries = await expectWoken(subject.engine.clock, async () => {
      const receiving = [0, 1].map(() => deliver(subject, { maxMessages: 1, waitMs: LONG_WAIT_MS }))
      await accept(subject.engine.queue, [message('a'), message('b')])
      return Promise.all(receiving)
    })
    const bodies = deliveries.flat().map((delivery) => delivery.body)
    if (!subject.faulty) expect(bodies.sort()).toEqual(['a', 'b'])
    for (const body of bodies) expect(['a', 'b']).toContain(body)
  })
}
