import { expect, it } from 'vitest'
import { ReadTurns } from '../../../src/aws/kinesis/read-turns.ts'

it('I6: reads that come at once are let in one a turn of the event loop, in their order', async () => {
  const turns = new ReadTurns()
  const letIn: number[] = []
  const all = Promise.all([0, 1, 2].map(async (read) => turns.next().then(() => letIn.push(read))))
  const seen: number[] = []
  while (letIn.length < 3) {
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(letIn.length)
  }
  await all
  expect(letIn).toEqual([0, 1, 2])
  // Never two more in one turn.
  expect(seen.every((count, index) => count - (seen[index - 1] ?? 0) <= 1)).toBe(true)
})
