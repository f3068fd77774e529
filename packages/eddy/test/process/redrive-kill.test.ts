import type { RedriveJob } from '@eddy/core'
import { expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, numbered, Workplace } from './support/workplace.ts'

const DEAD = 10_000
const LATE = 100

/** Everything dies until the file `flag` is there; late events die even then. */
const APP = appOf({
  failure: `{ retry: fixed({ delayMs: 10, maxAttempts: 1 }) }`,
  more: 'concurrency: 256, ',
  handle: `({ data }) => {
    if (data.n >= ${DEAD} || !existsSync('flag')) throw new Error('not yet')
    record(data.n)
  }`,
})

async function jobOf(place: Workplace, id: string): Promise<RedriveJob> {
  const response = await fetch(`${place.server.url}/v1/redrives/${id}`)
  return (await response.json()) as RedriveJob
}

async function dieLate(place: Workplace, from: number): Promise<void> {
  const put = await place.command(['put', 's', '--key', 'key'], numbered(from, from + LATE, 50))
  expect(put.exitCode, put.stderr).toBe(0)
}

it('a redrive of 10,000 dead events killed with -9 goes on and enqueues each once, and none that died since (I8)', async () => {
  const place = await Workplace.open(APP)
  await place.start()
  const put = await place.command(['put', 's', '--key', 'key'], numbered(0, DEAD, 50))
  expect(put.exitCode, put.stderr).toBe(0)
  await until(async () => (await place.subscription('sub')).dead === DEAD)
  await place.write('flag', '')

  const redrive = ['failures', 'redrive', '--subscription', 'sub', '--rate', '4000', '--detach', '--yes']
  const { id } = await place.json<RedriveJob>(...redrive)
  const late = dieLate(place, DEAD)
  let atKill = await jobOf(place, id)
  await until(async () => {
    atKill = await jobOf(place, id)
    return atKill.enqueued >= 2_000
  })
  await late
  await until(async () => (await place.subscription('sub')).dead > 0)
  await place.kill()
  expect(atKill).toMatchObject({ state: 'running', total: DEAD })
  expect(atKill.enqueued).toBeLessThan(8_000)

  await place.start()
  const again = await jobOf(place, id)
  expect(again.state).toBe('running')
  await dieLate(place, DEAD + LATE)
  await until(async () => (await jobOf(place, id)).state === 'done')
  expect(await jobOf(place, id)).toMatchObject({ total: DEAD, enqueued: DEAD, skipped: 0 })
  await until(async () => (await place.subscription('sub')).retrying === 0)
  await until(async () => (await place.subscription('sub')).dead === 2 * LATE)

  const items = (await place.failures('?subscription=sub')).map(({ item }) => item)
  expect(items).toHaveLength(DEAD + 2 * LATE)
  const resolved = items.filter(({ status }) => status === 'resolved')
  expect(resolved).toHaveLength(DEAD)
  const unlike = resolved.filter(({ redrives }) => redrives.length !== 1 || redrives[0]?.jobId !== id)
  expect(unlike).toEqual([])
  const dead = items.filter(({ status }) => status === 'dead')
  expect(dead.flatMap(({ redrives }) => redrives)).toEqual([])
  expect(new Set(place.lines('handled')).size).toBe(DEAD)
})
