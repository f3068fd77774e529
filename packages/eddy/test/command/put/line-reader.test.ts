import { describe, expect, it } from 'vitest'
import { type Line, readLines } from '../../../src/command/put/line-reader.ts'

async function linesOf(chunks: readonly (string | Buffer)[], maxLineBytes = 100): Promise<Line[]> {
  async function* feed() {
    for (const chunk of chunks) yield Buffer.from(chunk as string)
  }
  const lines: Line[] = []
  for await (const some of readLines(feed(), { maxLineBytes, keepBytes: 4 })) {
    lines.push(...some.map((line) => ({ ...line, bytes: Buffer.from(line.bytes) })))
  }
  return lines
}

const texts = (lines: readonly Line[]) => lines.map(({ bytes }) => bytes.toString('utf8'))

describe('lines of a byte stream', () => {
  it('ends lines at LF and CRLF, and takes a last line without an end', async () => {
    const lines = await linesOf(['a\nbb\r\n\nccc'])
    expect(texts(lines)).toEqual(['a', 'bb', '', 'ccc'])
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3, 4])
    expect(lines.map(({ offset }) => offset)).toEqual([0, 2, 6, 7])
  })

  it('joins a line, a CRLF and a character that are cut between chunks', async () => {
    const euro = Buffer.from('€')
    const lines = await linesOf(['ab', 'cd\r', '\nx', euro.subarray(0, 1), euro.subarray(1), '\n'])
    expect(texts(lines)).toEqual(['abcd', 'x€'])
  })

  it('removes a byte order mark from the first line only', async () => {
    const lines = await linesOf(['\ufeffa\n\ufeffb\n'])
    expect(texts(lines)).toEqual(['a', '\ufeffb'])
  })

  it('gives nothing for an empty input, and no line after the last line end', async () => {
    expect(await linesOf([])).toEqual([])
    expect(texts(await linesOf(['a\n']))).toEqual(['a'])
  })

  it('keeps the start of a line that is too long, counts it, and goes on after it (I6)', async () => {
    const lines = await linesOf(['ok\n', 'x'.repeat(80), 'y'.repeat(80), 'z\nnext\n'])
    expect(texts(lines)).toEqual(['ok', 'xxxx', 'next'])
    expect(lines[1]).toMatchObject({ number: 2, offset: 3, totalBytes: 161 })
    expect(lines[2]).toMatchObject({ number: 3, offset: 165, totalBytes: 4 })
  })

  it('finds a line too long that lies in one chunk', async () => {
    const lines = await linesOf([`${'x'.repeat(101)}\nb`])
    expect(lines[0]).toMatchObject({ totalBytes: 101 })
    expect(texts(lines)).toEqual(['xxxx', 'b'])
  })

  it('reads the same lines however the input is cut', async () => {
    const text = 'one\r\ntwo\n\nthree €uro\nlast'
    const bytes = Buffer.from(text)
    const whole = texts(await linesOf([bytes]))
    for (let size = 1; size < bytes.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect(texts(await linesOf(chunks)), `chunks of ${size}`).toEqual(whole)
    }
  })
})
