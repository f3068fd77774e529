import { expect, test } from 'vitest'
import { writeOne } from '../../src/fail/planned-write.ts'
import { Fenced } from '../../src/runtime/fenced.ts'
import { at, OneKey } from './support/one-key.ts'

test('a look that found no hold does not make one forgotten that was written meanwhile (rule 1)', async () => {
  const key = new OneKey()
  const { holds } = key.parts
  key.table.meanwhile = { partition: key.partitions.hold, happens: () => key.hold(1, 1) }
  expect(await holds.read('a')).toBeUndefined()
  expect(await holds.lookup('a')).toMatchObject({ hold: { state: 'held', lo: at(1) } })
})

test('a former owner that is slow rather than dead never writes over the hold of a later one (H3)', async () => {
  const key = new OneKey(1)
  const former = key.parts.holds
  const late = await key.hold(1, 1)
  if (!late.ok) throw new Error('it was not held')
  const later = key.holdsOf(2)
  await later.load()
  await key.hold(1, 3, later)
  // What it was about to write when it was taken for dead, and what it would write after a look.
  const place = { tail: at(2), shardId: late.entry.hold.shardId, epoch: 1 }
  const extend = () => writeOne(key.table, former.planExtend('a', late.entry, place))
  await expect(extend()).rejects.toThrow(Fenced)
  await former.read('a')
  await expect(key.hold(2, 2, former)).rejects.toThrow(Fenced)
  expect(await later.read('a')).toMatchObject({ hold: { epoch: 2, lo: at(1), tail: at(3) } })
})
