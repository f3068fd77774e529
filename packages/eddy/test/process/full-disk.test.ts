import type { AppendOutcome } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { mountDisk, remount } from './support/small-disk.ts'
import { appOf, Workplace } from './support/workplace.ts'

const NOT_ALLOWED = 'mounting a disk needs root'
const PADDING = 'x'.repeat(50_000)

const APP = appOf({
  failure: `{ blocks: 'key', exhausted: 'dead-letter', retry: fixed({ delayMs: 50, maxAttempts: 1000 }) }`,
  handle: `({ data }, ctx) => {
    if (data.n % 10 === 0 && ctx.attempt < 3) throw new Error('fails twice')
    record(data.key + ' ' + data.n)
  }`,
})

async function append(place: Workplace, from: number, count: number): Promise<AppendOutcome[]> {
  const events = Array.from({ length: count }, (_, i) => ({
    key: `k${(from + i) % 8}`,
    data: { key: `k${(from + i) % 8}`, n: from + i, padding: PADDING },
  }))
  const response = await fetch(`${place.server.url}/v1/streams/s/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { results: AppendOutcome[] }).results
}

const handledNumbers = (place: Workplace) =>
  new Set(place.lines('handled').map((line) => Number(line.split(' ')[1])))

describe('a disk that has no room', () => {
  it('refuses appends with a retryable EDDY_STORAGE, keeps answering, waits, and goes on: nothing acknowledged is lost (I1, I2, I9)', async ({
    skip,
  }) => {
    const place = await Workplace.open(APP)
    skip(!mountDisk(place.path('disk'), 'size=16m'), NOT_ALLOWED)
    await place.start('--data', 'disk/data')
    const acknowledged: number[] = []
    let refused: AppendOutcome | undefined
    for (let n = 0; n < 2_000 && refused === undefined; n += 10) {
      const outcomes = await append(place, n, 10)
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.ok) acknowledged.push(n + index)
        else refused ??= outcome
      }
    }
    expect(refused).toMatchObject({ ok: false, code: 'EDDY_STORAGE', retryable: true })
    expect(refused?.ok === false && refused.message).toContain('is full')
    expect(acknowledged.length).toBeGreaterThan(20)
    // It still answers.
    expect((await fetch(`${place.server.url}/healthz`)).status).toBe(200)
    expect((await place.command(['streams', 'show', 's'])).exitCode).toBe(0)

    remount(place.path('disk'), 'size=96m')
    await until(async () => acknowledged.every((n) => handledNumbers(place).has(n)))
    const after = await append(place, 5_000, 10)
    expect(after.every(({ ok }) => ok)).toBe(true)
    await until(() => handledNumbers(place).has(5_009))
    await until(async () => (await place.subscription('sub')).held === 0)
    expect((await place.subscription('sub')).dead).toBe(0)
    expect(await place.stop()).toBe(0)
  })

  it('kills the process while it is full: after that all that was acknowledged is there (I1)', async ({
    skip,
  }) => {
    const place = await Workplace.open(APP)
    skip(!mountDisk(place.path('disk'), 'size=12m'), NOT_ALLOWED)
    await place.start('--data', 'disk/data')
    const acknowledged: number[] = []
    for (let n = 0; n < 2_000; n += 10) {
      const outcomes = await append(place, n, 10)
      for (const [index, { ok }] of outcomes.entries()) if (ok) acknowledged.push(n + index)
      if (outcomes.some(({ ok }) => !ok)) break
    }
    await place.kill()
    remount(place.path('disk'), 'size=96m')
    await place.start('--data', 'disk/data')
    await until(() => acknowledged.every((n) => handledNumbers(place).has(n)))
  })
})

describe('a disk that cannot be written', () => {
  it('is named at the start, with the next step, and changed in nothing', async ({ skip }) => {
    const place = await Workplace.open(APP)
    skip(!mountDisk(place.path('disk'), 'size=32m'), NOT_ALLOWED)
    await place.start('--data', 'disk/data')
    await append(place, 1, 9)
    await until(() => handledNumbers(place).size === 9)
    expect(await place.stop()).toBe(0)
    remount(place.path('disk'), 'ro')
    for (const data of ['disk/data', 'disk/new']) {
      const ended = await place.run(['start', 'app.ts', '--data', data, '--port', '0'])
      expect(ended.exitCode, ended.stderr).not.toBe(0)
      expect(ended.stderr).toMatch(/cannot be written \(EROFS\)\. Make it writable/)
    }
    remount(place.path('disk'), 'rw')
    await place.start('--data', 'disk/data')
    await append(place, 11, 9)
    await until(() => handledNumbers(place).size === 18)
    expect(place.lines('handled')).toHaveLength(18)
  })
})
