import { readFileSync } from 'node:fs'
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import { expect, it } from 'vitest'
import { resourcesOf, type Synthesized, synthesized } from '../support/synthesized.ts'

const GUIDE = readFileSync(new URL('../../../../docs/guides/operating-on-aws.md', import.meta.url), 'utf8')
const PARTS = ['Means', 'Look', 'Do', "Don't"]

/** A kind of alarm, whatever its subscription, stream, function or queue is called. */
const kindOf = (alarm: string): string =>
  alarm
    .replace(/^shop-/, '')
    .replace(/^(subscription|stream|function):[^:]+:/, '$1:NAME:')
    .replace(/^dead:(queue|retry)-.+$/, 'dead:$1-NAME')

const kindsOf = (one: Synthesized): ReadonlySet<string> =>
  new Set(
    [...resourcesOf(one, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) =>
      kindOf(String(Properties.AlarmName)),
    ),
  )

/** Heading and text. */
const sections = new Map(
  GUIDE.split(/^### `/m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('`')), section.split(/^## /m)[0] ?? ''] as const),
)

it('the guide to operating on AWS has each alarm, and none that does not ring', () => {
  expect([...sections.keys()].sort()).toEqual([...kindsOf(synthesized())].sort())
})

it('for each it says what it means, where to look, what to do and what not', () => {
  for (const [alarm, text] of sections)
    for (const part of PARTS) expect(text, alarm).toMatch(new RegExp(`\\*\\*${part}:?\\*\\*`))
})

it('workers have the alarms that it says, and no other', () => {
  const image = ContainerImage.fromRegistry('registry.example/shop:1')
  const workers = kindsOf(
    synthesized((stack) => ({ vpc: new Vpc(stack, 'Network', { maxAzs: 2 }) as IVpc, worker: { image } })),
  )
  const missing = [...sections.keys()].filter((kind) => !workers.has(kind))
  expect(missing.sort()).toEqual(['function:NAME:errors', 'function:NAME:throttles'])
})
