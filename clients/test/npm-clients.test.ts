import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { clientEnv } from './support/client-env.ts'
import { runToSuccess } from './support/run-program.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

describe('Clients from npm', () => {
  let endpoint: Endpoint
  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
  })
  afterAll(async () => await endpoint?.stop())

  it('lifion-kinesis makes a stream and reads it once each over a split', async () =>
    await tour('lifion-kinesis.mjs'))

  it('sqs-consumer handles, tries again, and its dead-letter queue fills', async () =>
    await tour('sqs-consumer.mjs'))

  it('the JavaScript SDK v2 puts, reads, sends and receives', async () => await tour('aws-sdk-v2.mjs'))

  it('many clients of the JavaScript SDK v3 at once keep order, and share what there is', async () =>
    await tour('under-load.mjs'))

  async function tour(file: string): Promise<void> {
    const program = fileURLToPath(new URL(`../tours/${file}`, import.meta.url))
    console.log((await runToSuccess(process.execPath, [program, endpoint.url], clientEnv())).trim())
  }
})
