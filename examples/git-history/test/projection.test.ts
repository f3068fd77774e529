import { describe, expect, it } from 'vitest'
import { generatedChanges, generatedCounts } from '../src/generated-changes.ts'
import { OrderCheck } from '../src/order-check.ts'
import { Projection } from '../src/projection.ts'
import { verify } from '../src/verify.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const change = {
  path: 'a',
  commit: 'c1',
  n: 1,
  status: 'A',
  author: 'x <x>',
  authoredAt: '2024-01-01T00:00:00.000Z',
}

describe('Projection', () => {
  it('counts each change once, however often and in whatever order it comes', async () => {
    const directory = temporaryDirectory()
    const changes = [...generatedChanges(200)]
    let projection = new Projection(directory)
    await Promise.all(
      [...changes.slice(100).reverse(), ...changes.slice(0, 200)].map((c) => projection.count(c)),
    )
    await projection.close()
    // A new process: what was counted is known.
    projection = new Projection(directory)
    const isNew = await Promise.all(changes.map((c) => projection.count(c)))
    expect(isNew).not.toContain(true)
    const verdict = await verify({ projection, expected: generatedCounts(200), ordered: true })
    expect(verdict).toMatchObject({ ok: true, changes: changes.length, differences: [] })
    await projection.close()
  })

  it('shows a handler what the handler before it counted', async () => {
    const projection = new Projection(temporaryDirectory())
    for (let n = 1; n <= 20; n++) {
      await projection.count({ ...change, commit: `c${n}`, n })
      expect(projection.countOf('a')).toBe(n)
    }
    await projection.close()
  })
})

describe('verify', () => {
  it('names what is missing, what is too much and what came out of order', async () => {
    const projection = new Projection(temporaryDirectory())
    await projection.count(change)
    await projection.count({ ...change, path: 'extra' })
    await projection.report({ kind: 'gap', path: 'a', commit: 'c1', n: 3 })
    const expected = {
      changes: 3,
      paths: new Map([
        ['a', 2],
        ['b', 1],
      ]),
      authors: new Map([['x <x>', 3]]),
    }
    const verdict = await verify({ projection, expected, ordered: true })
    expect(verdict.ok).toBe(false)
    expect(verdict.differences).toEqual([
      'path "a": expected 2, counted 1',
      'path "extra": expected 0, counted 1',
      'path "b": expected 1, counted none',
      'author "x <x>": expected 3, counted 2',
      'changes: expected 3, counted 2',
    ])
    expect(verdict.violations).toBe(1)
    await projection.close()
  })

  it('forgives order only where it was not asked for', async () => {
    const projection = new Projection(temporaryDirectory())
    await projection.count(change)
    await projection.report({ kind: 'gap', path: 'a', commit: 'c1', n: 3 })
    const expected = { changes: 1, paths: new Map([['a', 1]]), authors: new Map([['x <x>', 1]]) }
    expect((await verify({ projection, expected, ordered: true })).ok).toBe(false)
    expect((await verify({ projection, expected, ordered: false })).ok).toBe(true)
    await projection.close()
  })
})

describe('OrderCheck', () => {
  const at = (position: string) => ({ position, outOfOrder: false })
  const kinds = (violations: readonly { kind: string }[]) => violations.map(({ kind }) => kind)

  it('accepts the next change, a retry and a new process that begins again', () => {
    const check = new OrderCheck(() => 2)
    expect(check.start({ ...change, n: 1 }, at('1'))).toEqual([])
    check.end(change)
    expect(check.start({ ...change, n: 1 }, at('1'))).toEqual([])
    check.end(change)
    expect(check.start({ ...change, n: 3 }, at('3'))).toEqual([])
  })

  it('sees a gap, a step back and two at a time', () => {
    const check = new OrderCheck(() => 2)
    expect(kinds(check.start({ ...change, n: 4 }, at('4')))).toEqual(['gap'])
    expect(kinds(check.start({ ...change, n: 3 }, at('3')))).toEqual(['overlap', 'backwards'])
    check.end(change)
    expect(kinds(check.start({ ...change, n: 2 }, { position: '2', outOfOrder: true }))).toEqual([])
  })
})
