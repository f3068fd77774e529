import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEvent, encodeEvent } from '../../src/model/envelope.ts'
import { markEvent, readMark } from '../../src/produce/producer-marks.ts'

const encoder = new TextEncoder()
const event = encodeEvent({ key: 'k', data: { a: 1 } }, { stream: 's', id: 'i', nowMs: 0 })

test('a mark comes first in the event, is read back, and leaves the rest as it was', () => {
  const marked = markEvent(event, { producer: 'p-1/3', sequence: 42 })
  expect(readMark(marked)).toEqual({ producer: 'p-1/3', sequence: 42 })
  expect(decodeEvent(marked)).toEqual({
    ...decodeEvent(event),
    eddyproducer: 'p-1/3',
    eddysequence: '42',
  })
})

test('a second mark takes the place of the first: an event that is passed on is no copy', () => {
  const passedOn = markEvent(markEvent(event, { producer: 'a', sequence: 1 }), { producer: 'b', sequence: 2 })
  expect(passedOn).toEqual(markEvent(event, { producer: 'b', sequence: 2 }))
})

test.each(['', '{', '{}', '[]', '[1]', 'text', '{ "a": 1 }', '"a"'])(
  '%j cannot be marked and is left alone',
  (text) => {
    const bytes = encoder.encode(text)
    expect(markEvent(bytes, { producer: 'p', sequence: 1 })).toEqual(bytes)
    expect(readMark(bytes)).toBeUndefined()
  },
)

test.each([
  '{"eddyproducer":"","eddysequence":"1","id":"1"}',
  '{"eddyproducer":"p","eddysequence":"","id":"1"}',
  '{"eddyproducer":"p","eddysequence":"01","id":"1"}',
  '{"eddyproducer":"p","eddysequence":"-1","id":"1"}',
  '{"eddyproducer":"p","eddysequence":1,"id":"1"}',
  '{"eddyproducer":"p","eddysequence":"1"}',
  '{"eddyproducer":"p q","eddysequence":"1","id":"1"}',
  '{"eddyproducer":"p","eddysequence":"1000000000000000","id":"1"}',
  `{"eddyproducer":"${'p'.repeat(65)}","eddysequence":"1","id":"1"}`,
  '{"specversion":"1.0","eddyproducer":"p","eddysequence":"1"}',
])('%s has no mark', (text) => {
  expect(readMark(encoder.encode(text))).toBeUndefined()
})

test('any mark is read back, and any bytes are looked at without an error', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w.:/-]{1,64}$/), fc.nat(), (producer, sequence) => {
      expect(readMark(markEvent(event, { producer, sequence }))).toEqual({ producer, sequence })
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readMark(bytes)))
})
