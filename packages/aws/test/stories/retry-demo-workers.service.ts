import { fileURLToPath } from 'node:url'
import type { Blocks, FailureDetail, FailurePage, RedriveJob } from '@eddy/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resourceEnv } from '../../src/resources/index.ts'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { type EddyProcess, startEddy } from '../support/eddy-process.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { MailService } from './support/mail-service.ts'
import { until } from './support/until.ts'

const FILE = fileURLToPath(new URL('../../../../examples/retry-demo/src/app.ts', import.meta.url))
const RETRY_DELAY_MS = 1_000

let world: AwsWorld
let demo: DeployedApp
let workers: readonly EddyProcess[] = []
const mail = new MailService()

beforeAll(async () => {
  world = await startAwsWorld()
  // What a deployment makes; its functions are never invoked.
  demo = await DeployedApp.deploy({ world, file: FILE, name: 'demo' })
  const env = {
    ...{ ...world.env, ...resourceEnv(demo.resources) },
    MAIL_URL: await mail.listen(),
    RETRY_DELAY_MS: String(RETRY_DELAY_MS),
  }
  const start = (name: string) => startEddy([FILE, '--engine', 'aws', '--worker', name], env)
  workers = await Promise.all([start('one'), start('two')])
})

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()))
  await demo?.stop()
  mail.close()
  await world?.close()
})

const logs = { logs: () => workers.map((worker) => worker.stderr()).join('\n') }
let asked = 0

/** Asks the workers in turn: whoever is asked, and whoever handles, the answer is the same. */
async function http<T>(method: string, path: string, body?: object): Promise<T> {
  const { url } = workers[asked++ % workers.length] as EddyProcess
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await response.text()
  expect(response.ok, `${method} ${path}: ${response.status} ${text}`).toBe(true)
  return JSON.parse(text) as T
}

/** A visit to one of the three streams; the visitor's name says which, so that the mail server's list does. */
async function visit(blocks: Blocks, visitor: string, fail: boolean): Promise<string> {
  const { results } = await http<{ readonly results: readonly { readonly id: string }[] }>(
    'POST',
    `/v1/streams/visits-${blocks}/records`,
    { key: visitor, type: 'visit', data: { visitor, fail } },
  )
  return results[0]?.id as string
}

const mails = (to: string, refuse: boolean) =>
  mail.asked.filter((one) => one.to === to && one.refuse === refuse)

const show = (id: string) => http<FailureDetail>('GET', `/v1/failures/${encodeURIComponent(id)}`)

describe('retry-demo in two workers, from a request to a redrive', () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const)
    it(`an event that fails is tried four times, then dead with its history, and redriven: blocks ${blocks}`, async () => {
      const subscription = `welcome-${blocks}`
      const [ann, bob] = [`ann-${blocks}`, `bob-${blocks}`]
      const failing = await visit(blocks, ann, true)
      await visit(blocks, ann, false)
      await visit(blocks, bob, false)

      const { items } = await until(
        () => http<FailurePage>('GET', `/v1/failures?subscription=${subscription}&status=dead`),
        (page) => page.items.length > 0 && mails(ann, false).length + mails(bob, false).length === 2,
        logs,
      )
      expect(items).toMatchObject([{ eventId: failing, status: 'dead', key: ann, attempts: 4 }])
      const { id } = items[0] as { readonly id: string }

      const tries = mails(ann, true)
      expect(tries).toHaveLength(4)
      for (const [index, { atMs }] of tries.slice(1).entries())
        expect(atMs - (tries[index]?.atMs ?? 0)).toBeGreaterThanOrEqual(RETRY_DELAY_MS)
      const endMs = tries.at(-1)?.atMs ?? 0
      // What the policy blocks came after the last try, all else before it.
      for (const [to, waits] of [
        [ann, blocks !== 'nothing'],
        [bob, blocks === 'shard'],
      ] as const)
        expect([to, (mails(to, false)[0]?.atMs ?? 0) > endMs]).toEqual([to, waits])

      const { item } = await show(id)
      expect(item.history.map(({ attempt, path }) => [attempt, path])).toEqual([
        [1, 'live'],
        [2, 'retry'],
        [3, 'retry'],
        [4, 'retry'],
      ])
      for (const { error } of item.history)
        expect(error).toMatchObject({
          type: 'MailRefused',
          message: `the mail server refused the mail to ${ann}`,
        })

      mail.isRepaired = true
      const job = await http<RedriveJob>('POST', '/v1/redrives', {
        filter: { subscription, status: 'dead' },
        by: 'test',
        allowOutOfOrder: blocks !== 'nothing',
      })
      await until(
        () => show(id),
        (shown) => shown.item.status === 'resolved',
        logs,
      )
      mail.isRepaired = false
      expect(mails(ann, true)).toHaveLength(5)
      await until(
        () => http<RedriveJob>('GET', `/v1/redrives/${job.id}`),
        ({ state, enqueued }) => state === 'done' && enqueued === 1,
        logs,
      )
    })

  it('its workers end well', async () => {
    expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0])
  })
})
