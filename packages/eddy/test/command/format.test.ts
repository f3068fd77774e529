import { describe, expect, it } from 'vitest'
import { prettyJson } from '../../src/command/failures/pretty-json.ts'
import { paint } from '../../src/command/format/paint.ts'
import { printable, shorten } from '../../src/command/format/printable.ts'
import { bar } from '../../src/command/format/progress.ts'
import { byteSize, count, plural } from '../../src/command/format/quantity.ts'
import { table } from '../../src/command/format/table.ts'
import { duration, parseDurationMs, relativeTime, timeOf } from '../../src/command/format/time.ts'
import { parseFrom } from '../../src/command/tail/parse-from.ts'

describe('times', () => {
  it('reads ISO times, epoch milliseconds and durations before now', () => {
    const nowMs = Date.parse('2026-03-01T12:00:00Z')
    expect(timeOf('2026-01-31', nowMs)).toBe(Date.parse('2026-01-31T00:00:00Z'))
    expect(timeOf('2026-01-31T12:00:00+02:00', nowMs)).toBe(Date.parse('2026-01-31T10:00:00Z'))
    expect(timeOf('1790000000000', nowMs)).toBe(1_790_000_000_000)
    expect(timeOf('15m', nowMs)).toBe(nowMs - 900_000)
    expect(timeOf('1.5d', nowMs)).toBe(nowMs - 129_600_000)
    expect(timeOf('now', nowMs)).toBe(nowMs)
    for (const text of ['', 'x', '15', '15 m', '-5m', '5y', '2026-13-45', 'March 3']) {
      expect(text === '15' ? undefined : timeOf(text, nowMs), text).toBeUndefined()
    }
  })

  it('reads durations with a unit only', () => {
    expect(parseDurationMs('250ms')).toBe(250)
    expect(parseDurationMs('25s')).toBe(25_000)
    expect(parseDurationMs('1w')).toBe(604_800_000)
    expect(parseDurationMs('25')).toBeUndefined()
    expect(parseDurationMs('1e3s')).toBeUndefined()
  })

  it('writes spans in at most two units', () => {
    expect([0, 999, 1_000, 12_340, 60_000, 185_000, 90_000_000, 86_400_000].map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1 s',
      '12.3 s',
      '1 min',
      '3 min 5 s',
      '1 d 1 h',
      '1 d',
    ])
    expect(relativeTime(5_000, 8_000)).toBe('3 s ago')
    expect(relativeTime(8_000, 5_000)).toBe('in 3 s')
  })
})

describe('positions', () => {
  it('tells sequence numbers from times by their length', () => {
    expect(parseFrom('latest', 0)).toEqual({ from: 'latest', isSequence: false })
    expect(parseFrom('1790000000000', 0)).toEqual({ from: '1790000000000', isSequence: false })
    expect(parseFrom('1000000000000042', 0)).toEqual({ from: 'at:1000000000000042', isSequence: true })
    expect(parseFrom('after:42', 0)).toEqual({ from: 'after:42', isSequence: true })
    expect(parseFrom('2s', 5_000)).toEqual({ from: '3000', isSequence: false })
    expect(() => parseFrom('LATEST', 0)).toThrow(/--from: expected trim_horizon/)
  })
})

describe('text', () => {
  it('writes numbers for people', () => {
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([0, 1_023, 1_536, 10_485_760, 5e12].map(byteSize)).toEqual([
      '0 B',
      '1023 B',
      '1.5 KiB',
      '10 MiB',
      '4.5 TiB',
    ])
    expect([plural(1, 'event'), plural(2, 'event')]).toEqual(['1 event', '2 events'])
    expect(bar(1, 4, 8)).toBe('[##------]  25.0 %')
  })

  it('shows control characters instead of sending them', () => {
    expect(printable('a\u001b[2Jb\r\n\tc\u202e')).toBe('a\\u001b[2Jb\\r\\n\\tc\\u202e')
    expect(printable('a\n\tb\r', { keepLines: true })).toBe('a\n\tb\\r')
    expect(shorten('abcdef', 4)).toBe('abc…')
  })

  it('aligns tables and leaves no space at line ends', () => {
    const columns = [
      { title: 'NAME', value: ({ name }: { name: string }) => name },
      { title: 'N', align: 'right' as const, value: ({ n }: { n: number }) => n },
      { title: 'X', value: () => '' },
    ]
    const rows = [
      { name: 'long name', n: 1 },
      { name: 'b', n: 100 },
    ]
    expect(table(rows, columns, paint(false))).toBe('NAME         N  X\nlong name    1\nb          100')
  })

  it('indents JSON only where nothing gets lost', () => {
    expect(prettyJson('{"a" : [1, "x y"]}')).toBe('{\n  "a": [\n    1,\n    "x y"\n  ]\n}')
    for (const text of [
      '{"n":12345678901234567890}',
      '{"a":1,"a":2}',
      '{"a":1.0}',
      'no json',
      '{"2":1,"1":2}',
    ]) {
      expect(prettyJson(text)).toBe(text)
    }
  })
})
