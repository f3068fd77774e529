import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import { describe, expect, it } from 'vitest'
import { describeApp, type Right, roleRights } from '../../src/index.ts'
import shop from '../apps/shop.ts'
import { resourcesOf, synthesized } from '../support/synthesized.ts'
import { compareRights, type Exception } from './compare-rights.ts'

const WORKER = { image: ContainerImage.fromRegistry('registry.example/shop:1') }
const NAMES = {
  name: 'shop',
  bucket: 'shop-payloads',
  topic: 'shop-notices',
  schedulerRole: 'shop-schedules',
}
const rights = roleRights(describeApp(shop), NAMES)
const all: readonly Right[] = [
  ...[...rights.live.values(), ...rights.retry.values()].flat(),
  ...rights.http,
  ...rights.sweep,
  ...rights.rescue,
  ...rights.worker,
]

const exceptionsIn = (file: string) =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as readonly Exception[]
const EXCEPTIONS = exceptionsIn('exceptions.json')

/** What allows a call whose action has another name. */
const ACTIONS: Readonly<Record<string, string>> = {
  's3:CompleteMultipartUpload': 's3:PutObject',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:HeadObject': 's3:GetObject',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:UploadPart': 's3:PutObject',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
}

/** Every command of the SDK that the engine on AWS sends, in its sources, as the action that it needs. */
function commandsOfTheEngine(): ReadonlySet<string> {
  const source = fileURLToPath(new URL('../../../aws/src/', import.meta.url))
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const actions = new Set<string>()
  for (const file of files) {
    const text = readFileSync(`${source}${file}`, 'utf8')
    const imports = /\{([^{}]*)\}(?: from |[^{}]*import\()\s*'@aws-sdk\/client-(\w+)'/g
    for (const [, names = '', service = ''] of text.matchAll(imports)) {
      for (const [, operation] of names.matchAll(/(?<!type )\b(\w+)Command\b/g)) {
        const action = `${service}:${operation}`
        actions.add(ACTIONS[action] ?? action)
      }
    }
  }
  return actions
}

describe('Roles', () => {
  it('enumerate: no action and no resource is everything', () => {
    for (const { action, resource } of all) {
      expect(action).toMatch(/^[a-z0-9]+:[A-Za-z0-9]+$/)
      expect(resource).not.toMatch(/^\w*:?\*$/)
    }
  })

  it('name what belongs to the application alone', () => {
    // Whichever group is listed, the service asks for the right on all of them.
    const named = all.filter(({ action }) => action !== 'scheduler:ListSchedules')
    for (const { resource } of named) expect(resource).toMatch(/(^|[:/])shop([-/.]|$)/)
  })

  it('read what is theirs: a subscription has its own stream, its own queue, its own retries', () => {
    const reads = (name: string) =>
      rights.live
        .get(name)
        ?.filter(({ action }) => /GetRecords|ReceiveMessage|SubscribeToShard/.test(action))
        .map(({ resource }) => resource)
    expect(reads('charge')).toEqual(['kinesis:stream/shop-orders'])
    expect(reads('count')).toEqual([
      'kinesis:stream/shop-clicks',
      'kinesis:stream/shop-clicks/consumer/shop-count',
    ])
    expect(reads('mail')).toEqual(['sqs:shop-queue-emails.fifo'])
    const retries = rights.retry.get('charge')?.filter(({ action }) => action === 'sqs:ReceiveMessage')
    expect(retries?.map(({ resource }) => resource)).toEqual(['sqs:shop-retry-charge'])
  })

  it('write where a subscription says, and nowhere else', () => {
    const narrow = synthesized({
      subscriptions: { charge: { writesTo: { streams: [], queues: ['emails'] } } },
    })
    const [, role] =
      [...resourcesOf(narrow, 'AWS::IAM::Role')].find(([id]) => /chargeLiveRole/.test(id)) ?? []
    const policies = JSON.stringify(role?.Properties.Policies)
    expect(policies).not.toContain('kinesis:PutRecords')
    expect(policies).toContain(':shop-queue-emails.fifo')
  })

  it('are those of the template', () => {
    const templates = [
      synthesized(),
      synthesized((stack) => ({ vpc: new Vpc(stack, 'Network') as IVpc, worker: WORKER })),
    ]
    const made = JSON.stringify(templates.map((one) => [...resourcesOf(one, 'AWS::IAM::Role').values()]))
    for (const { action } of all) expect(made).toContain(`"${action}"`)
  })
})

describe('What roles allow, and what the engine calls', () => {
  const anywhere = (action: string): Right => ({ action, resource: '*' })
  const called = [...commandsOfTheEngine()].map(anywhere)
  const allowed = [...new Set(all.map(({ action }) => action))].map(anywhere)
  const { refused, unneeded, stale } = compareRights(allowed, called, EXCEPTIONS)

  it('every call has its right', () => {
    expect(called.length).toBeGreaterThan(25)
    expect(refused.map(({ action }) => action)).toEqual([])
  })

  it('every right has its call', () => {
    expect(unneeded).toEqual([])
  })

  it('every exception is one, and says why', () => {
    expect(stale).toEqual([])
    for (const { why } of EXCEPTIONS) expect(why).toMatch(/^[A-Z].+\.$/)
  })
})

describe('The comparison', () => {
  const get: Right = { action: 's3:GetObject', resource: 's3:shop-payloads/*' }

  it('finds what is refused, what is needless, and exceptions of nothing', () => {
    const needed = [
      { action: 's3:GetObject', resource: 's3:shop-payloads/payload/*' },
      { action: 's3:GetObject', resource: 's3:other/payload' },
      { action: 'sns:Publish', resource: 'sns:shop-notices' },
    ]
    const purge = { action: 'sqs:PurgeQueue', resource: 'sqs:shop-queue-emails' }
    const exceptions: Exception[] = [
      { is: 'made', action: 'sns:Publish', why: 'for this test' },
      { is: 'allowed', action: 's3:GetObject', why: 'for this test' },
    ]
    expect(compareRights([get, purge], needed, exceptions)).toEqual({
      refused: [{ action: 's3:GetObject', resource: 's3:other/payload' }],
      unneeded: ['sqs:PurgeQueue'],
      stale: ['allowed s3:GetObject'],
    })
  })
})
