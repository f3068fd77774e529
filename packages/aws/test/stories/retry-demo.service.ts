import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Blocks, FailureDetail, FailurePage, RedriveJob } from '@eddy/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { MailService } from './support/mail-service.ts'
import { rightsAsShop, streamsOf } from './support/rights-as-shop.ts'
import { until } from './support/until.ts'
import { expectWrittenRights } from './support/written-rights.ts'

const FILE = fileURLToPath(new URL('../../../../examples/retry-demo/src/app.ts', import.meta.url))
const RETRY_DELAY_MS = 1_000

let world: AwsWorld
let demo: DeployedApp
let told: string
let folder: string
const mail = new MailService()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-retry-demo-'))
  world = await startAwsWorld()
  const env = { MAIL_URL: await mail.listen(), RETRY_DELAY_MS: String(RETRY_DELAY_MS) }
  demo = await DeployedApp.deploy({ world, file: FILE, name: 'demo', env, calls: calls() })
  told = await demo.subscribeQueue(demo.resources.topicArn as string, 'demo-told')
})

afterAll(async () => {
  await demo?.stop()
  mail.close()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

const calls = () => join(folder, 'calls.ndjson')

/** A visit to one of the three streams; the visitor's name says which, so that the mail server's list does. */
async function visit(blocks: Blocks, visitor: string, fail: boolean): Promise<string> {
  const { results } = await demo.http<{ readonly results: readonly { readonly id: string }[] }>(
    'POST',
    `/v1/streams/visits-${blocks}/records`,
    { key: visitor, type: 'visit', data: { visitor, fail } },
  )
  return results[0]?.id as string
}

/** Mails of a visitor that came: the tries of the one that fails, or the one good one. */
const mails = (to: string, refuse: boolean) =>
  mail.asked.filter((asked) => asked.to === to && asked.refuse === refuse)

const show = (id: string) => demo.http<FailureDetail>('GET', `/v1/failures/${encodeURIComponent(id)}`)

describe('retry-demo in functions of AWS Lambda, from a request to a redrive', () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const)
    it(`an event that fails is tried four times, then dead with its history, told and redriven: blocks ${blocks}`, async () => {
      const subscription = `welcome-${blocks}`
      const [ann, bob] = [`ann-${blocks}`, `bob-${blocks}`]
      demo.mapStream(subscription)
      await demo.mapRetries(subscription)
      const failing = await visit(blocks, ann, true)
      await visit(blocks, ann, false)
      await visit(blocks, bob, false)

      const dead = () =>
        demo.http<FailurePage>('GET', `/v1/failures?subscription=${subscription}&status=dead`)
      const isOver = (page: FailurePage): boolean =>
        page.items.length > 0 && mails(ann, false).length + mails(bob, false).length === 2
      const { items } = await until(dead, isOver, { logs: () => demo.logs })
      expect(items).toMatchObject([{ eventId: failing, status: 'dead', key: ann, attempts: 4 }])
      const { id } = items[0] as { readonly id: string }

      const tries = mails(ann, true)
      expect(tries).toHaveLength(4)
      for (const [index, { atMs }] of tries.slice(1).entries())
        expect(atMs - (tries[index]?.atMs ?? 0)).toBeGreaterThanOrEqual(RETRY_DELAY_MS)
      const endMs = tries.at(-1)?.atMs ?? 0
      // What the policy blocks came after the last try, all else before the second.
      const waits = { ann: blocks !== 'nothing', bob: blocks === 'shard' }
      for (const [name, to] of [
        ['ann', ann],
        ['bob', bob],
      ] as const) {
        const { atMs = 0 } = mails(to, false)[0] ?? {}
        if (waits[name]) expect(atMs).toBeGreaterThan(endMs)
        else expect(atMs).toBeLessThan(tries[1]?.atMs ?? 0)
      }

      const shown = await show(id)
      expect(shown.item.history.map(({ attempt, path }) => [attempt, path])).toEqual([
        [1, 'live'],
        [2, 'retry'],
        [3, 'retry'],
        [4, 'retry'],
      ])
      for (const { error } of shown.item.history)
        expect(error).toMatchObject({
          type: 'MailRefused',
          message: `the mail server refused the mail to ${ann}`,
        })
      expect(shown.item.lastError?.stack).toContain('welcome.ts')
      expect(JSON.parse(shown.payload?.content ?? '')).toMatchObject({
        id: failing,
        partitionkey: ann,
        data: { visitor: ann, fail: true },
      })

      // With a policy that blocks, what is held is told first.
      const envelopes = await demo.received(told, blocks === 'nothing' ? 1 : 2)
      const notices = envelopes.map(
        (text) => JSON.parse((JSON.parse(text) as { Message: string }).Message) as object,
      )
      expect(notices).toContainEqual(
        expect.objectContaining({ kind: 'dead-letter', subscription, id, key: ann }),
      )

      mail.isRepaired = true
      const job = await demo.http<RedriveJob>('POST', '/v1/redrives', {
        filter: { subscription, status: 'dead' },
        by: 'test',
        allowOutOfOrder: blocks !== 'nothing',
      })
      await demo.sweep()
      await until(
        () => show(id),
        ({ item }) => item.status === 'resolved',
        { logs: () => demo.logs },
      )
      mail.isRepaired = false
      expect(mails(ann, true)).toHaveLength(5)
      await until(
        () => demo.http<RedriveJob>('GET', `/v1/redrives/${job.id}`),
        ({ state, enqueued }) => state === 'done' && enqueued === 1,
        { logs: () => demo.logs },
      )
    })

  it('the functions made the calls that are written down, for the constructs to compare their roles with', () => {
    const written = new URL('./retry-demo-rights.json', import.meta.url)
    expectWrittenRights(calls(), written, (made) => rightsAsShop(made, 'demo', streamsOf(demo.app)))
  })
})
