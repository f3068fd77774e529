import { readFile } from 'node:fs/promises'
import * as kinesisSdk from '@aws-sdk/client-kinesis'
import * as sqsSdk from '@aws-sdk/client-sqs'
import { SimWorld } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import type { AwsService } from '../../src/aws/aws-service.ts'
import { MAX_BODY_BYTES } from '../../src/aws/listen/read-request-body.ts'
import { MAX_CONNECTIONS } from '../../src/aws/listen/serve-aws.ts'
import { MAX_JSON_PARTS } from '../../src/aws/protocol/bounded-json.ts'
import { sqsService } from '../../src/aws/sqs/sqs-service.ts'
import { DEFAULT_TIMEOUTS } from '../../src/http/socket-timeouts.ts'
import { KinesisUnderTest } from './kinesis/support/kinesis-under-test.ts'

const page = await readFile(new URL('../../../../docs/reference/aws-endpoint.md', import.meta.url), 'utf8')

/** Rows of the table under a heading, by what its second column says. */
function operationsOf(heading: string, served: 'yes' | 'no'): readonly string[] {
  const section = page.split(`\n### ${heading}\n`)[1]?.split('\n#')[0] ?? ''
  return [...section.matchAll(/^\| (\w+) \| (yes|no) \|/gm)]
    .filter((row) => row[2] === served)
    .map((row) => row[1] as string)
}

/** Every operation that the SDK has. */
function operationsOfSdk(sdk: object): readonly string[] {
  return Object.values(sdk)
    .filter((one): one is unknown[] => Array.isArray(one) && one[0] === 9)
    .map((one) => one[2] as string)
}

describe('docs/reference/aws-endpoint.md', () => {
  const cases: readonly [string, object, () => Promise<AwsService>][] = [
    ['Kinesis', kinesisSdk, async () => (await KinesisUnderTest.start()).service],
    [
      'SQS',
      sqsSdk,
      async () => {
        const { table, clock } = new SimWorld({ seed: 'page' }).boot()
        return sqsService({ table, clock, signal: AbortSignal.abort() })
      },
    ],
  ]
  for (const [heading, sdk, open] of cases) {
    it(`says of each operation of ${heading} that the SDK knows whether it is served, and it is`, async () => {
      const served = operationsOf(heading, 'yes')
      const service = await open()
      expect([...service.operations.keys()].sort()).toEqual(served.toSorted())
      expect(Object.keys(service.model.operations).sort()).toEqual(served.toSorted())
      expect([...served, ...operationsOf(heading, 'no')].sort()).toEqual([...operationsOfSdk(sdk)].sort())
    })
  }

  it('has the limits of the code', () => {
    expect(page).toContain(`| Body of a request | ${MAX_BODY_BYTES / 1024 / 1024} MiB;`)
    expect(page).toContain(`| ${MAX_JSON_PARTS.toLocaleString('en')}; beyond: SerializationException |`)
    expect(page).toContain(`| Connections | ${MAX_CONNECTIONS.toLocaleString('en')};`)
    const { headersMs, requestMs, keepAliveMs } = DEFAULT_TIMEOUTS
    expect(page).toContain(`| ${headersMs / 1000} s · ${requestMs / 1000} s · ${keepAliveMs / 1000} s |`)
  })
})
