import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Steps } from '../../src/handle/steps.ts'
import { AutoClock } from '../operate/support/auto-clock.ts'
import { MemoryTable } from '../operate/support/memory-table.ts'

const DAY_MS = 86_400_000

describe('steps', () => {
  test('the first call answers what later ones will: the JSON form', async () => {
    const { attempt } = setUp()
    const made = (): Promise<unknown> =>
      attempt().run<unknown>('made', () => ({ at: new Date(0), none: undefined }))
    expect(await made()).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(await made()).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })

  test('of an event that stays open outlive the retention', async () => {
    const { clock, attempt } = setUp()
    const first = attempt()
    expect(await first.run('charge', () => 1)).toBe(1)
    await first.ended('failed')
    await clock.sleep(90 * DAY_MS)
    expect(await attempt().run('charge', () => 2)).toBe(1)
  })

  test('that end after their attempt has failed are kept like the rest', async () => {
    const { clock, attempt } = setUp()
    const timedOut = attempt()
    await timedOut.ended('failed')
    await timedOut.run('charge', () => 1)
    await clock.sleep(90 * DAY_MS)
    expect(await attempt().run('charge', () => 2)).toBe(1)
  })

  test('of an event that is handled at last go after the retention', async () => {
    const { clock, attempt } = setUp()
    const failed = attempt()
    await failed.run('charge', () => 1)
    await failed.ended('failed')
    await clock.sleep(90 * DAY_MS)
    const handled = attempt()
    await handled.run('charge', () => 2)
    await handled.ended('ok')
    await clock.sleep(13 * DAY_MS)
    expect(await attempt().run('charge', () => 3)).toBe(1)
    await clock.sleep(2 * DAY_MS)
    expect(await attempt().run('charge', () => 4)).toBe(4)
  })

  test('an end that cannot be written disturbs nothing', async () => {
    const { table, attempt } = setUp()
    const failed = attempt()
    await failed.run('charge', () => 1)
    table.put = () => Promise.reject(new Error('disk full'))
    await expect(failed.ended('failed')).resolves.toBeUndefined()
  })
})

function setUp(): {
  readonly clock: AutoClock
  readonly table: MemoryTable
  readonly attempt: () => ReturnType<Steps['of']>
} {
  const clock = new AutoClock()
  const table = new MemoryTable(clock)
  const md5Hex = (text: string): string => createHash('md5').update(text).digest('hex')
  const steps = new Steps({ table, clock, md5Hex }, 'billing', 14 * DAY_MS)
  return { clock, table, attempt: () => steps.of('an event') }
}
