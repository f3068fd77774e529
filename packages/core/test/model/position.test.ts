import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failureId, parseFailureId } from '../../src/fail/keys.ts'
import {
  afterPosition,
  compareSequence,
  editedPosition,
  type PositionParts,
  parsePosition,
  positionOf,
} from '../../src/model/position.ts'
import { recordName } from '../../src/model/record-name.ts'

const sequenceNumber = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)
const parts: fc.Arbitrary<PositionParts> = fc.record(
  {
    pass: fc.nat({ max: 9_999 }),
    depth: fc.oneof(fc.nat({ max: 9_999 }), fc.constantFrom(10_000, 999_999_999_999)),
    sequenceNumber: fc.oneof(fc.constantFrom('9', '10'), sequenceNumber),
    subSequenceNumber: fc.nat({ max: 999_999 }),
  },
  { requiredKeys: ['pass', 'depth', 'sequenceNumber'] },
)

function textOf({ pass, depth, sequenceNumber: sequence, subSequenceNumber }: PositionParts): string {
  return positionOf(pass, depth, sequence, subSequenceNumber)
}

function compare(a: PositionParts, b: PositionParts): number {
  return (
    a.pass - b.pass ||
    a.depth - b.depth ||
    compareSequence(a.sequenceNumber, b.sequenceNumber) ||
    (a.subSequenceNumber ?? -1) - (b.subSequenceNumber ?? -1)
  )
}

test('positions are text that sorts as their parts do, places in aggregates included', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const order = textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0
      expect(order).toBe(Math.sign(compare(a, b)))
      expect(parsePosition(textOf(a))).toEqual(a)
    }),
  )
})

test('an edit comes after its event and before the next one of its aggregate, and so does what follows a hold', () => {
  const [third, fourth, next] = [
    positionOf(0, 0, '42', 3),
    positionOf(0, 0, '42', 4),
    positionOf(0, 0, '43'),
  ] as const
  const sorted = [positionOf(0, 0, '42'), third, editedPosition(third, 1), afterPosition(third), fourth]
  sorted.push(afterPosition(fourth), afterPosition(positionOf(0, 0, '42')), next)
  expect([...sorted].sort()).toEqual(sorted)
  expect(afterPosition(editedPosition(third, 2))).toBe(afterPosition(third))
})

test('a failure of an aggregate has an id that is read back', () => {
  const ref = { subscription: 'billing', laneId: 'a'.repeat(32), position: positionOf(1, 2, '42', 999_999) }
  expect(parseFailureId(failureId(ref.subscription, ref.laneId, ref.position))).toEqual(ref)
  const edited = { ...ref, position: editedPosition(ref.position, 1) }
  expect(parseFailureId(failureId(edited.subscription, edited.laneId, edited.position))).toEqual(edited)
  expect(parseFailureId(`billing:${ref.laneId}:0001.0002.00242:12`)).toBeUndefined()
})

test('people see the sequence number, and the place behind it where there is one', () => {
  expect([
    recordName({ sequenceNumber: '42' }),
    recordName({ sequenceNumber: '42', subSequenceNumber: 0 }),
  ]).toEqual(['42', '42:0'])
})
