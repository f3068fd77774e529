import type { QueueMessage } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { accept, drain, message, QUEUE } from '../support/queue-samples.ts'

const MINUTE_MS = 60_000

function once(deduplicationId: string, body: string, more: Partial<QueueMessage> = {}): QueueMessage {
  return { ...message(body), deduplicationId, ...more }
}

export function deduplicationTests(test: ContractTest): void {
  test('a message that was sent under its id before adds nothing, and is answered like the first', async (subject) => {
    const { queue } = subject.engine
    const [first] = await accept(queue, [once('order-1', 'one')])
    const [again, other] = await queue.send(QUEUE, [once('order-1', 'another'), once('order-2', 'two')])
    if (!subject.faulty) {
      expect(again).toEqual({ ok: true, messageId: first, duplicate: true })
      expect(other).toMatchObject({ ok: true })
      expect(other).not.toHaveProperty('duplicate', true)
    }
    await accept(queue, [once('order-2', 'two')])
    expect(new Set(await drain(subject))).toEqual(new Set(['one', 'two']))
    // Also once the first one is done with.
    await accept(queue, [once('order-1', 'late')])
    expect(await queue.depth(QUEUE)).toBe(0)
  })

  test(
    'two of one id in one call are one message',
    async ({ engine }) => {
      const results = await engine.queue.send(QUEUE, [once('same', 'first'), once('same', 'second')])
      expect(results[1]).toMatchObject({ ok: true, duplicate: true })
      expect(await engine.queue.depth(QUEUE)).toBe(1)
    },
    { strict: true },
  )

  test(
    'an id is remembered for its window and no longer',
    async (subject) => {
      const { queue } = subject.engine
      await accept(queue, [once('usual', 'a'), once('long', 'b', { deduplicationWindowMs: 60 * MINUTE_MS })])
      await subject.leap(4 * MINUTE_MS)
      expect(await queue.send(QUEUE, [once('usual', 'a')])).toMatchObject([{ duplicate: true }])
      await subject.leap(2 * MINUTE_MS)
      const [usual, long] = await queue.send(QUEUE, [once('usual', 'a'), once('long', 'b')])
      expect(usual).not.toHaveProperty('duplicate', true)
      expect(long).toMatchObject({ duplicate: true })
    },
    { needs: 'leap', strict: true },
  )

  test(
    'an id is remembered over a kill, and over a purge',
    async (subject) => {
      await accept(subject.engine.queue, [once('kept', 'a')])
      const engine = await subject.reopen()
      expect(await engine.queue.send(QUEUE, [once('kept', 'a')])).toMatchObject([{ duplicate: true }])
      await engine.queue.purge(QUEUE)
      expect(await engine.queue.send(QUEUE, [once('kept', 'a')])).toMatchObject([{ duplicate: true }])
      expect(await engine.queue.depth(QUEUE)).toBe(0)
    },
    { needs: 'reopen', strict: true },
  )

  test('ids are of one queue, 1 to 128 characters, for 1 second to 24 hours', async ({ engine }) => {
    await accept(engine.queue, [once('mine', 'a')])
    const [elsewhere] = await engine.queue.send('another queue', [once('mine', 'a')])
    expect(elsewhere).not.toHaveProperty('duplicate', true)
    const wrong = await engine.queue.send(QUEUE, [
      once('', 'a'),
      once('x'.repeat(129), 'a'),
      once('short', 'a', { deduplicationWindowMs: 999 }),
      once('long', 'a', { deduplicationWindowMs: 25 * 60 * MINUTE_MS }),
    ])
    for (const result of wrong) expect(result).toMatchObject({ ok: false, retryable: false })
  })
}
