import { expect, test } from 'vitest'
import { laneToken, parseToken, Tokens } from '../../src/fail/tokens.ts'
import type { QueueMessage } from '../../src/ports/queue.ts'
import { OneKey } from './support/one-key.ts'

test('a token is ASCII, whatever its key is of: emoji, control characters, halves of pairs, what no service carries', async () => {
  const { queue, clock } = new OneKey().parts.engine
  const sent: QueueMessage[] = []
  const send = async (_queue: string, messages: readonly QueueMessage[]) => {
    sent.push(...messages)
    return messages.map((_, index) => ({ ok: true, messageId: String(index) }) as const)
  }
  const tokens = new Tokens(Object.assign(Object.create(queue), { send }), clock, 'work')
  const wanted = ['emoji 🌀.md', 'ä\u0000\u007f\u0085', '\ud800 half', '\ufffe\uffff'].map((key) =>
    laneToken({ key }),
  )
  for (const token of wanted) await tokens.send(token, undefined)
  for (const { body, timer } of sent) {
    expect(body).toMatch(/^[ -~]+$/)
    expect(timer).toBe(body)
  }
  expect(sent.map(({ body }) => parseToken(body))).toEqual(wanted)
})
