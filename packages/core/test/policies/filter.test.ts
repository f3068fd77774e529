import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileFilter, type EventFilter, type FilterTest, InvalidOptionError } from '../../src/index.ts'

function passes(filter: EventFilter, fields: Record<string, unknown>): boolean {
  return compileFilter(filter)({ specversion: '1.0', id: '1', source: 's', type: 't', data: null, ...fields })
}

describe('event filter', () => {
  test.each<[string, FilterTest[], unknown[], unknown[]]>([
    [
      'exact values, by type',
      ['a', 5, true, null],
      ['a', 5, true, null, ['z', 'a']],
      ['b', '5', 1, false, undefined, {}, []],
    ],
    ['prefix', [{ prefix: 'or' }], ['order', ['x', 'or']], ['xor', 5, null, undefined]],
    ['suffix', [{ suffix: '.png' }], ['a.png'], ['a.jpg', undefined]],
    [
      'anything-but',
      [{ 'anything-but': ['a', 1] }],
      ['b', 2, true, null, ['a', 'b']],
      ['a', 1, ['a', 1], undefined, {}, []],
    ],
    ['anything-but of one value', [{ 'anything-but': 'a' }], ['b'], ['a']],
    ['a range', [{ numeric: ['>', 0, '<=', 5] }], [1, 5, 0.1, [9, 3]], [0, 5.1, '3', null, undefined]],
    ['one bound', [{ numeric: ['=', 3] }], [3, 3.0], [4]],
    ['presence', [{ exists: true }], ['a', null, 0, {}, []], [undefined]],
    ['absence', [{ exists: false }], [undefined], ['a', null]],
    ['any test of the list', [{ prefix: 'a' }, { exists: false }], ['ab', undefined], ['b']],
  ])('%s', (_name, tests, passing, failing) => {
    for (const value of passing)
      expect(passes({ data: { f: tests } }, { data: { f: value } }), `${value}`).toBe(true)
    for (const value of failing)
      expect(passes({ data: { f: tests } }, { data: { f: value } }), `${value}`).toBe(false)
  })

  test('every named field must pass, on attributes and in data', () => {
    const filter: EventFilter = { type: ['order.placed'], data: { total: [{ numeric: ['>', 10] }] } }
    expect(passes(filter, { type: 'order.placed', data: { total: 11 } })).toBe(true)
    expect(passes(filter, { type: 'order.placed', data: { total: 9 } })).toBe(false)
    expect(passes(filter, { type: 'other', data: { total: 11 } })).toBe(false)
  })

  test('of an array of objects, one must pass all nested fields', () => {
    const filter: EventFilter = { data: { items: { sku: ['a'], count: [2] } } }
    expect(passes(filter, { data: { items: [{ sku: 'b' }, { sku: 'a', count: 2 }] } })).toBe(true)
    expect(
      passes(filter, {
        data: {
          items: [
            { sku: 'a', count: 1 },
            { sku: 'b', count: 2 },
          ],
        },
      }),
    ).toBe(false)
  })

  test('under a missing or plain parent, nested fields are missing', () => {
    const filter: EventFilter = { data: { a: { b: [{ exists: false }] } } }
    for (const data of [null, undefined, 5, 'text', {}, { a: 1 }, { a: {} }])
      expect(passes(filter, { data })).toBe(true)
    expect(passes(filter, { data: { a: { b: 1 } } })).toBe(false)
  })

  test('inherited properties are no fields', () => {
    expect(passes({ data: { toString: [{ exists: true }] } }, { data: {} })).toBe(false)
    expect(passes({ data: { length: [{ exists: true }] } }, { data: 'text' })).toBe(false)
  })

  test.each<[string, unknown]>([
    ['filter', null],
    ['filter', 'type'],
    ['filter', {}],
    ['filter', { type: ['x'.repeat(4_096)] }],
    ['filter.type', { type: 'order' }],
    ['filter.type', { type: [] }],
    ['filter.type[0]', { type: [{}] }],
    ['filter.type[0]', { type: [{ prefix: 'a', suffix: 'b' }] }],
    ['filter.type[0]', { type: [['a']] }],
    ['filter.type[0].prefx', { type: [{ prefx: 'a' }] }],
    ['filter.type[0].prefix', { type: [{ prefix: 5 }] }],
    ['filter.type[0].prefix', { type: [{ prefix: '' }] }],
    ['filter.type[0].exists', { type: [{ exists: 'yes' }] }],
    ['filter.type[0].anything-but', { type: [{ 'anything-but': [] }] }],
    ['filter.type[0].anything-but', { type: [{ 'anything-but': { prefix: 'a' } }] }],
    ['filter.type[0].numeric', { type: [{ numeric: ['>'] }] }],
    ['filter.type[0].numeric[0]', { type: [{ numeric: ['!=', 1] }] }],
    ['filter.type[0].numeric[1]', { type: [{ numeric: ['>', '1'] }] }],
    ['filter.data.$or[0].location', { data: { $or: [{ location: ['x'] }] } }],
  ])('refuses a wrong %s', (option, filter) => {
    const make = () => compileFilter(filter as EventFilter)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(expect.objectContaining({ details: expect.objectContaining({ option }) }))
  })

  test.each(['prefix', 'suffix'])('says that a %s must not be empty', (name) => {
    const filter = { type: [{ [name]: '' }] } as unknown as EventFilter
    expect(() => compileFilter(filter)).toThrow(
      `filter.type[0].${name}: expected a string that is not empty, received ""`,
    )
  })

  test('ten levels are allowed, eleven are not, and a cycle is refused', () => {
    const nest = (levels: number): EventFilter => (levels === 1 ? { f: ['x'] } : { f: nest(levels - 1) })
    expect(() => compileFilter(nest(10))).not.toThrow()
    expect(() => compileFilter(nest(11))).toThrow('at most 10 levels')
    const cyclic: Record<string, EventFilter> = {}
    cyclic.a = cyclic as EventFilter
    expect(() => compileFilter(cyclic)).toThrow(InvalidOptionError)
  })

  test('agrees with a naive interpreter on any filter and data', () => {
    fc.assert(
      fc.property(fields(), data(), (filter, value) => {
        expect(passes({ data: filter }, { data: value })).toBe(naiveFields(filter, value))
      }),
      { numRuns: 3_000 },
    )
  })
})

const plain = fc.oneof(
  fc.constantFrom('a', 'ab', 'b', ''),
  fc.integer({ min: 0, max: 3 }),
  fc.boolean(),
  fc.constant(null),
)
const name = fc.constantFrom('x', 'y', 'z')
const oneTest: fc.Arbitrary<FilterTest> = fc.oneof(
  plain,
  fc.constantFrom<FilterTest>(
    { prefix: 'a' },
    { suffix: 'b' },
    { exists: true },
    { exists: false },
    { 'anything-but': ['a', 1] },
    { numeric: ['>', 0, '<', 3] },
  ),
)

function fields(): fc.Arbitrary<EventFilter> {
  return fc
    .letrec<{ fields: EventFilter }>((tie) => ({
      fields: fc.dictionary(
        name,
        fc.oneof(
          { weight: 3, arbitrary: fc.array(oneTest, { minLength: 1, maxLength: 2 }) },
          { weight: 1, arbitrary: tie('fields') },
        ),
        { minKeys: 1, maxKeys: 2, noNullPrototype: true, depthIdentifier: 'filter', size: 'xsmall' } as never,
      ),
    }))
    .fields.filter((filter) => JSON.stringify(filter).split('{').length < 9)
}

function data(): fc.Arbitrary<unknown> {
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      plain,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 3 }),
    ),
  })).value
}

function naiveFields(filter: EventFilter, value: unknown): boolean {
  const candidates = Array.isArray(value) ? value : [value]
  return candidates.some((candidate) =>
    Object.keys(filter).every((field) => {
      const isObject = typeof candidate === 'object' && candidate !== null && !Array.isArray(candidate)
      const inner: unknown = isObject && Object.hasOwn(candidate, field) ? candidate[field] : undefined
      const pattern = filter[field] as EventFilter | readonly FilterTest[]
      if (!Array.isArray(pattern)) return naiveFields(pattern as EventFilter, inner)
      return pattern.some((each) => naiveTest(each as FilterTest, inner))
    }),
  )
}

function naiveTest(each: FilterTest, value: unknown): boolean {
  if (typeof each === 'object' && each !== null && 'exists' in each)
    return each.exists === (value !== undefined)
  if (Array.isArray(value)) return value.some((element) => naiveOne(each, element))
  return naiveOne(each, value)
}

function naiveOne(each: FilterTest, value: unknown): boolean {
  if (typeof each !== 'object' || each === null) return each === value
  if ('prefix' in each) return typeof value === 'string' && value.indexOf(each.prefix) === 0
  if ('suffix' in each) return typeof value === 'string' && value.slice(-each.suffix.length) === each.suffix
  if ('anything-but' in each) {
    return (
      value !== undefined && (value === null || typeof value !== 'object') && value !== 'a' && value !== 1
    )
  }
  return value === 1 || value === 2
}
