import { expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { Workplace } from './support/workplace.ts'

const MESSAGES = 400

/** Every message is written down when its handler is done; each tenth fails at first. Until `flag` is there it is slow. */
const APP = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineApp, fixed, queue, subscribe } from 'eddy'
interface Data { readonly n: number; readonly group: string }
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const retry = fixed({ delayMs: 50, maxAttempts: 50 })
const work = async (name: string, { n }: Data, attempt: number) => {
  if (!existsSync('flag')) await sleep(20)
  if (n % 10 === 0 && attempt === 1) throw new Error('not yet')
  appendFileSync(name, n + '\\n')
}
const tasks = queue<Data>('tasks')
const grouped = queue<Data>('grouped', { group: 'group' })
export default defineApp({
  subscriptions: [
    subscribe('tasker', tasks, {
      failure: { retry }, handle: ({ data }, ctx) => work('tasks', data, ctx.attempt),
    }),
    subscribe('grouper', grouped, {
      failure: { blocks: 'key', exhausted: 'dead-letter', retry },
      handle: ({ data }, ctx) => work('grouped', data, ctx.attempt),
    }),
  ],
})
`

function lines(): string {
  return Array.from({ length: MESSAGES }, (_, n) => `${JSON.stringify({ n, group: `g${n % 20}` })}\n`).join(
    '',
  )
}

it('subscriptions of queues killed with -9 twice lose no message, and keep the order of every group (I2, I3)', async () => {
  const place = await Workplace.open(APP)
  await place.start()
  for (const name of ['tasks', 'grouped']) {
    const put = await place.command(['queues', 'put', name], lines())
    expect(put, put.stderr).toMatchObject({ exitCode: 0 })
  }
  for (const handled of [50, 120]) {
    await until(() => place.lines('tasks').length >= handled && place.lines('grouped').length >= handled / 2)
    await place.kill()
    await place.start()
  }
  await place.write('flag', '')
  for (const name of ['tasker', 'grouper']) {
    await until(async () => {
      const { lagRecords, retrying, held } = await place.subscription(name)
      return lagRecords + retrying + held === 0
    })
  }
  const all = new Set(Array.from({ length: MESSAGES }, (_, n) => String(n)))
  expect(new Set(place.lines('tasks'))).toEqual(all)
  expect(new Set(place.lines('grouped'))).toEqual(all)
  expect(await place.failures('?status=dead')).toEqual([])
  for (let group = 0; group < 20; group += 1) {
    const order = place
      .lines('grouped')
      .map(Number)
      .filter((n) => n % 20 === group)
    // What was under way at a kill runs again, before its group goes on: never an earlier one after a later one.
    for (const [index, n] of order.entries()) expect(n).toBeGreaterThanOrEqual(order[index - 1] ?? 0)
  }
})
