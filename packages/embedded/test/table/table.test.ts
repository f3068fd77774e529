import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '@eddy/embedded'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { movableClock, openEngine } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('any JSON with bytes comes back as it was', async () => {
  const { table } = await openEngine()
  const { value } = fc.letrec<{ value: never }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), { maxKeys: 5 }),
    ) as fc.Arbitrary<never>,
  }))
  await fc.assert(
    fc.asyncProperty(value, async (stored) => {
      await table.put({ partition: 'p', sort: 's', value: stored }, 'any')
      const item = await table.get({ partition: 'p', sort: 's' })
      expect(item?.value).toEqual(stored)
    }),
    { numRuns: 200 },
  )
})

test('keys over the limits of the store are refused by name', async () => {
  const { table } = await openEngine()
  const value = 1
  const put = (
    partition: string,
    sort: string,
    index?: { partition: string; sort: string },
  ): Promise<unknown> =>
    table.put({ partition, sort, value, ...(index === undefined ? {} : { index }) }, 'any')
  await put('p'.repeat(940), 's'.repeat(1_024))
  await put('p', 's', { partition: 'i'.repeat(900), sort: 'x'.repeat(1_024) })
  await put('p'.repeat(900), 's'.repeat(1_024), { partition: 'i', sort: 'x'.repeat(1_000) })
  expect(await table.query({ partition: 'i', byIndex: true, limit: 10 })).toMatchObject({
    items: [{ partition: 'p'.repeat(900) }],
  })
  await expect(put('p', 'é'.repeat(513))).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  await expect(put('p'.repeat(1_000), 's'.repeat(1_024))).rejects.toMatchObject({
    code: 'EDDY_INVALID_OPTION',
    message: expect.stringContaining('1968 bytes'),
  })
  await expect(put('', 's')).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  await expect(
    put('p', 's', { partition: 'i'.repeat(1_500), sort: 'x'.repeat(1_000) }),
  ).rejects.toMatchObject({
    code: 'EDDY_INVALID_OPTION',
  })
})

test('expired items leave the store, with their index entries, in the background', async () => {
  const clock = movableClock()
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir, clock })
  const expiresAtMs = clock.now() + 1_000_000
  await Promise.all(
    Array.from({ length: 1_500 }, (_, i) =>
      engine.table.put(
        { partition: 'p', sort: String(i), value: i, expiresAtMs, index: { partition: 'i', sort: 'x' } },
        'absent',
      ),
    ),
  )
  await engine.table.put({ partition: 'p', sort: 'kept', value: 0 }, 'absent')
  expect(await engine.table.count('p')).toBe(1_501)
  clock.leap(1_000_001)
  expect(await engine.table.count('p')).toBe(1)
  expect(await engine.table.count('i', true)).toBe(0)
  expect(await engine.table.put({ partition: 'p', sort: '3', value: 'new' }, 'absent')).toMatchObject({
    version: 1,
  })
  await expect
    .poll(() => expiredLeft(engine, join(dataDir, '..')), { timeout: 15_000, interval: 500 })
    .toBe(2)
  await engine.close()
})

/** Entries that a copy of the store still holds. */
async function expiredLeft(
  engine: { backup(target: string): Promise<unknown> },
  folder: string,
): Promise<number> {
  const copy = join(folder, `copy-${performance.now()}`)
  await engine.backup(copy)
  const { entries } = JSON.parse(await readFile(join(copy, 'backup.json'), 'utf8'))
  return entries['store/items'] + entries['store/index'] + entries['store/expiry']
}
