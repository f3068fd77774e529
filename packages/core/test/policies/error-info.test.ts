import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorInfo } from '../../src/index.ts'

describe('errorInfo', () => {
  test('tells type, message, stack and code of an error', () => {
    const error = Object.assign(new TypeError('boom'), { code: 'E_BOOM' })
    expect(errorInfo(error)).toMatchObject({ type: 'TypeError', message: 'boom', code: 'E_BOOM' })
    expect(errorInfo(error).stack).toContain('error-info.test.ts')
  })

  test('takes the class for the type where the class left the name alone', () => {
    class InvalidOrder extends Error {}
    expect(errorInfo(new InvalidOrder('x')).type).toBe('InvalidOrder')
  })

  test('appends causes to the message, and takes the first code along them', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const info = errorInfo(new TypeError('fetch failed', { cause }))
    expect(info.message).toBe('fetch failed (caused by Error: connect ECONNREFUSED)')
    expect(info.code).toBe('ECONNREFUSED')
    expect(info.stack).toContain('\ncaused by: Error: connect ECONNREFUSED')
  })

  test('looks into the first error of an AggregateError', () => {
    expect(errorInfo(new AggregateError([new Error('first')], 'all failed')).message).toBe(
      'all failed (caused by Error: first)',
    )
  })

  test('ends at a cause that comes round again', () => {
    const error = new Error('a')
    error.cause = new Error('b', { cause: error })
    expect(errorInfo(error).message).toBe('a (caused by Error: b)')
  })

  test.each([
    ['text', 'plain text', 'plain text'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object', { a: 1 }, '{"a":1}'],
    ['an object with a message', { message: 'said', code: 'E_X' }, 'said'],
  ])('a thrown non-Error: %s', (_name, thrown, message) => {
    expect(errorInfo(thrown)).toMatchObject({ type: 'NonError', message })
  })

  test('an error of another realm is an error', () => {
    expect(errorInfo(runInNewContext('new RangeError("far")'))).toMatchObject({
      type: 'RangeError',
      message: 'far',
    })
  })

  test('values that resist being read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no')
        },
      },
    )
    const getter = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no')
      },
    })
    for (const thrown of [
      proxy,
      cyclic,
      hostile,
      getter,
      Object.freeze(new Error('frozen')),
      Object.create(null),
    ]) {
      expect(errorInfo(thrown).fingerprint).toMatch(/^[A-Za-z0-9_.]+-[0-9a-f]{8}$/)
    }
  })

  test('never throws, whatever is thrown, and always survives JSON', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
        expect(JSON.parse(JSON.stringify(errorInfo(thrown)))).toEqual(errorInfo(thrown))
      }),
    )
  })

  test('cuts what is over the limits and says how long it was', () => {
    const error = new Error('x'.repeat(1_000_000))
    error.name = 'N'.repeat(10_000)
    const info = errorInfo(error)
    expect(info.message.length).toBe(4_096)
    expect(info.message).toMatch(/ … \[1000000 characters\]$/)
    expect(info.stack?.length).toBe(8_192)
    expect(info.type.length).toBe(256)
  })
})
