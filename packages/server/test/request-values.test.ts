import { describe, expect, test } from 'vitest'
import { mediaType } from '../src/http/content-type.ts'
import { parseQuery, queryInteger, queryTime } from '../src/http/query.ts'
import { parseTime } from '../src/http/time.ts'
import { formatStartPosition, parseStartPosition } from '../src/records/start-position.ts'

describe('times', () => {
  test.each([
    ['1767225600000', 1_767_225_600_000],
    ['0', 0],
    ['2026-01-01', 1_767_225_600_000],
    ['2026-01-01T00:00Z', 1_767_225_600_000],
    ['2026-01-01T01:00:00.5+01:00', 1_767_225_600_500],
  ])('%s', (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })

  test.each([
    '',
    'yesterday',
    '-1',
    '1e3',
    '2026-01-01T00:00:00',
    '2026-13-01',
    '2026-01-01 00:00Z',
    '99999999999999999',
  ])('%j is no time', (text) => {
    expect(parseTime(text)).toBeUndefined()
  })
})

describe('start positions', () => {
  test.each(['trim_horizon', 'latest', 'at:1000', 'after:1000', '1767225600000'])('%s and back', (text) => {
    expect(formatStartPosition(parseStartPosition(text))).toBe(text)
  })

  test.each(['', 'LATEST', 'at:', 'at:-1', 'after:1x', `at:${'9'.repeat(200)}`])('%j is refused', (text) => {
    expect(() => parseStartPosition(text)).toThrowError(
      expect.objectContaining({ code: 'EDDY_INVALID_OPTION', message: expect.stringContaining('from') }),
    )
  })
})

describe('queries', () => {
  const url = (query: string) => `http://localhost/x?${query}`

  test('unknown names are refused by name, with those that exist', () => {
    expect(() => parseQuery(url('limt=5'), ['limit'])).toThrowError(/"limt".*limit/)
    expect(() => parseQuery(url('__proto__=5'), [])).toThrowError(/"__proto__"/)
  })

  test('a name that is given twice is refused', () => {
    expect(() => parseQuery(url('limit=5&limit=6'), ['limit'])).toThrowError(/twice/)
  })

  test.each(['0', '11', '1.5', 'ten', '', '1e1', ' 5'])('limit=%j is refused', (limit) => {
    expect(() => queryInteger({ limit }, 'limit', { min: 1, max: 10 })).toThrowError(/limit.*from 1 to 10/)
  })

  test('times name what is expected', () => {
    expect(() => queryTime({ since: 'noon' }, 'since')).toThrowError(/since.*2026-01-31T12:00:00Z/)
  })
})

test('media types lose parameters and case; charsets other than UTF-8 are refused', () => {
  expect(mediaType('Application/JSON; charset="UTF-8"')).toBe('application/json')
  expect(mediaType('')).toBeUndefined()
  expect(() => mediaType('application/json; charset=utf-16')).toThrowError(/utf-16/)
})
