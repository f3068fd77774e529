import { readdirSync } from 'node:fs'
import type { FailureDetail, LedgerItem } from '@eddy/core'
import { expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, Workplace } from './support/workplace.ts'

const PADDING = 10 * 1024 * 1024 - 4_096

const APP = appOf({
  failure: `{ retry: fixed({ delayMs: 10, maxAttempts: 1 }) }`,
  handle: `({ data }) => {
    const { n, padding } = data as never as { n: number; padding: string }
    if (n < 10 && !existsSync('mended')) throw new Error('cannot handle ' + n)
    record(n + ' ' + padding.length)
  }`,
})

const eventOf = (n: number) => ({ key: 'large', n, padding: 'x'.repeat(PADDING) })

it('a payload of nearly 10 MiB that fails is kept as a blob, shown, exported, edited and redriven, by command and HTTP', async () => {
  const place = await Workplace.open(APP)
  await place.start()
  const lines = [1, 2, 3].map((n) => `${JSON.stringify(eventOf(n))}\n`).join('')
  const put = await place.command(['put', 's', '--key', 'key'], lines)
  expect(put.exitCode, put.stderr).toBe(0)
  await until(async () => (await place.subscription('sub')).dead === 3)
  const dead = await place.failures('?status=dead')
  for (const { item, payload } of dead) {
    expect(item.payloadBlob).toBeDefined()
    expect(item.payloadBytes).toBeGreaterThan(PADDING)
    expect((JSON.parse(payload?.content ?? '') as { data: { padding: string } }).data.padding).toHaveLength(
      PADDING,
    )
  }
  expect(readdirSync(place.path('data/blobs'), { recursive: true }).length).toBeGreaterThan(2)
  const idOf = (n: number) =>
    dead.find(({ item }) => item.lastError?.message === `cannot handle ${n}`)?.item.id ?? ''

  // By the command: export, show, edit.
  const exported = await place.command(['failures', 'export', '--status', 'dead'])
  expect(exported.stdout.split('\n').filter((line) => line.length > PADDING)).toHaveLength(3)
  expect((await place.command(['failures', 'show', idOf(1)])).stdout).toContain('cannot handle 1')
  const shown = await place.json<FailureDetail>('failures', 'show', idOf(1))
  const event = JSON.parse(shown.payload?.content ?? '') as { data: { n: number } }
  event.data.n = 11
  await place.write('fixed.json', JSON.stringify(event))
  const edit = await place.command(['failures', 'edit', idOf(1), '--file', place.path('fixed.json'), '--yes'])
  expect(edit.exitCode, edit.stderr).toBe(0)

  // Over HTTP: show, edit.
  const url = `${place.server.url}/v1/failures/${encodeURIComponent(idOf(2))}`
  const detail = (await (await fetch(url)).json()) as FailureDetail
  const body = (detail.payload?.content ?? '').replace('"n":2', '"n":12')
  const answer = await fetch(`${url}/payload`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(answer.status, await answer.text()).toBe(200)
  await until(() => ['11', '12'].every((n) => place.lines('handled').includes(`${n} ${PADDING}`)))

  // The third as it is.
  await place.write('mended', '')
  const redrive = await place.command(['failures', 'redrive', idOf(3), '--yes'])
  expect(redrive.exitCode, redrive.stderr).toBe(0)
  await until(() => place.lines('handled').includes(`3 ${PADDING}`))
  await until(async () => (await place.subscription('sub')).dead === 0)
  const items = await place.json<{ items: LedgerItem[] }>('failures', 'list', '--status', 'resolved')
  expect(items.items.length).toBeGreaterThanOrEqual(3)
})
