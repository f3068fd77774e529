import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { GitChange } from '../src/git-change.ts'
import { gitChanges, hasHistory } from '../src/git-changes.ts'
import { gitCounts } from '../src/git-counts.ts'
import { parseLog } from '../src/log-parser.ts'
import { authorText, pathText } from '../src/lossless-text.ts'
import { revListCount } from '../src/verify.ts'
import { makeRepository } from './make-repository.ts'
import { temporaryDirectory } from './temporary-directory.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('gitChanges', () => {
  it('reads every change of an awkward history, numbered per path', async () => {
    const { directory, changes: made, paths } = makeRepository(temporaryDirectory(), 1_500)
    const changes = await all(gitChanges({ repository: directory }))
    expect(changes).toHaveLength(made)
    const counted = new Map<string, number>()
    for (const { path, n } of changes) {
      expect(n).toBe((counted.get(path) ?? 0) + 1)
      counted.set(path, n)
    }
    expect(counted.size).toBe(paths)
    const expected = await gitCounts(directory, ['HEAD'])
    expect(expected.paths).toEqual(counted)
    expect(expected.changes).toBe(made)
    expect([...expected.authors.keys()]).toContain('山田 太郎 <taro@example.org>')
    expect([...expected.authors.keys()]).toContain(
      authorText(Buffer.from('J\xf6rg <joerg@example.org>', 'latin1')),
    )
  })

  it('agrees with git rev-list on names that are hard to say', async () => {
    const { directory } = makeRepository(temporaryDirectory(), 1_500)
    const { paths } = await gitCounts(directory, ['HEAD'])
    const odd = [...paths.keys()].filter((path) => /[^\w./-]/.test(path) && !path.startsWith('//'))
    expect(odd.length).toBeGreaterThan(10)
    for (const path of odd) expect(await revListCount(directory, ['HEAD'], path)).toBe(paths.get(path))
  })

  it('goes on behind what was read before, with no change twice and none left out', async () => {
    const { directory } = makeRepository(temporaryDirectory(), 600)
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim()
    const middle = git('rev-list', '--first-parent', '--skip=20', '-n1', 'HEAD')
    const first = await all(gitChanges({ repository: directory, tip: middle }))
    const second = await all(gitChanges({ repository: directory, after: [middle] }))
    const whole = await all(gitChanges({ repository: directory }))
    const id = ({ path, commit }: GitChange) => `${commit} ${path}`
    expect(second.length).toBeGreaterThan(0)
    expect([...first, ...second].map(id).sort()).toEqual(whole.map(id).sort())
    const last = new Map(first.map(({ path, n }) => [path, n]))
    for (const { path, n } of second) {
      expect(n).toBe((last.get(path) ?? 0) + 1)
      last.set(path, n)
    }
  })

  it('reads commits with authors and times that Git itself would not write', async () => {
    const directory = temporaryDirectory()
    const git = (args: readonly string[], input = '') =>
      execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8', input }).trim()
    git(['init', '--quiet', '--bare'])
    const blob = git(['hash-object', '-w', '--stdin'], 'text')
    let parent = ''
    const authors = [
      'A U Thor <a@example.org>',
      'A U Thor <a@example.org> 99999999999999 +0000',
      'A U Thor <a@example.org> 253402300800 +0000',
      'A U Thor <a@example.org> 18446744073709551615 +0000',
      ' <> 1500000000 +0000',
      'A <b <c> 1500000000 +0000',
    ]
    for (const [n, author] of authors.entries()) {
      const tree = git(['mktree'], `100644 blob ${blob}\tfile-${n}\n`)
      const commit = `tree ${tree}\n${parent}author ${author}\ncommitter C <c@example.org> 1500000000 +0000\n\nn\n`
      const hash = git(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], commit)
      git(['update-ref', 'HEAD', hash])
      parent = `parent ${hash}\n`
    }
    const changes = (await all(gitChanges({ repository: directory }))).filter(({ status }) => status === 'A')
    expect(changes.map(({ path, authoredAt }) => [path, authoredAt.slice(0, 4)])).toEqual([
      ['file-0', '1970'],
      ['file-1', '1970'],
      ['file-2', '1970'],
      ['file-3', '1970'],
      ['file-4', '2017'],
      ['file-5', '2017'],
    ])
    const counts = await gitCounts(directory, ['HEAD'])
    expect(new Set(counts.authors.keys())).toEqual(new Set(changes.map(({ author }) => author)))
    expect(counts.changes).toBe(2 * authors.length - 1)
  })

  it('says what is wrong with a folder without a repository', async () => {
    const directory = temporaryDirectory()
    expect(await hasHistory(directory)).toBe(false)
    await expect(all(gitChanges({ repository: directory }))).rejects.toThrow(/not a git repository/)
  })
})

describe('parseLog', () => {
  const header = (c: string) => `commit ${c.repeat(40)} 1700000000 A U Thor <a@example.org>\0`

  it('does not care where the output is cut', async () => {
    const output = Buffer.from(
      `${header('a')}\nA\0one\0M\0\ntwo\nlines\0${header('b')}${header('c')}\nD\0M\0`,
    )
    const whole = await all(parseLog(pieces(output, output.length)))
    expect(whole.map(({ status, path, commit }) => [status, path, commit[0]])).toEqual([
      ['A', 'one', 'a'],
      ['M', '\ntwo\nlines', 'a'],
      ['D', 'M', 'c'],
    ])
    for (let size = 1; size < 40; size++) expect(await all(parseLog(pieces(output, size)))).toEqual(whole)
  })

  it('refuses output that is not a log', async () => {
    await expect(all(parseLog(pieces(Buffer.from('hello\0'), 3)))).rejects.toThrow(
      /neither a commit nor a status/,
    )
    await expect(all(parseLog(pieces(Buffer.from(`${header('a')}\nA\0`), 9)))).rejects.toThrow(
      /ended between/,
    )
  })

  async function* pieces(output: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < output.length; at += size) yield output.subarray(at, at + size)
  }
})

describe('pathText', () => {
  it('is the path itself where that can be a key', () => {
    for (const path of ['a', ' b ', '\ufeffc', '日本語/ファイル', 'x'.repeat(256)]) {
      expect(pathText(Buffer.from(path))).toEqual({ path })
    }
  })

  it('is a stand-in with the exact bytes for other encodings and for long paths', () => {
    const seen = new Set<string>()
    for (const bytes of [
      Buffer.from([0xff]),
      Buffer.from([0xfe]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('x'.repeat(257)),
    ]) {
      const { path, pathBase64 } = pathText(bytes)
      expect(path).toMatch(/^\/\/[0-9a-f]{64}$/)
      expect(Buffer.from(pathBase64 ?? '', 'base64')).toEqual(bytes)
      seen.add(path)
    }
    expect(seen.size).toBe(4)
  })
})
