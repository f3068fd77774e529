import { expect, test } from 'vitest'
import { QueueProgress } from '../../src/consume/queue-progress.ts'

test('nobody waits for what was purged, nor in a later process that takes in nothing (I9)', () => {
  const later = new QueueProgress('m5', () => false)
  later.look(1_000, undefined)
  later.look(2_000, undefined)
  expect(['m4', 'm5', 'm6'].map((position) => later.hasPassed(position))).toEqual([true, true, false])
})

test('what was purged while it was under way is gone at once, and what was taken in since is not', () => {
  const progress = new QueueProgress(undefined, () => true)
  progress.taken('m5')
  expect(progress.hasPassed('m5')).toBe(false)
  progress.purged('m5')
  progress.taken('m6')
  expect(['m5', 'm6'].map((position) => progress.hasPassed(position))).toEqual([true, false])
})
