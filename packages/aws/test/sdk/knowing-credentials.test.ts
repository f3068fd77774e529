import { describe, expect, it, onTestFinished } from 'vitest'
import { KinesisProducerLog, kinesisClient } from '../../src/kinesis/index.ts'
import { type ServiceAnswer, startService } from '../support/kinesalite.ts'

const stored: ServiceAnswer = {
  status: 200,
  body: { Records: [{ ShardId: 'shardId-000000000000', SequenceNumber: '1' }] },
}

/** A log whose credentials are asked for with each request, since they are about to expire. */
async function open() {
  const source = { isThere: true }
  const script: ServiceAnswer[] = []
  const service = await startService(({ operation }) =>
    operation === 'PutRecords'
      ? (script.shift() ?? stored)
      : { status: 400, body: { __type: 'UnknownOperationException' } },
  )
  const client = kinesisClient({
    endpoint: service.endpoint,
    region: 'us-east-1',
    credentials: async () => {
      if (source.isThere)
        return { accessKeyId: 'a', secretAccessKey: 's', expiration: new Date(Date.now() + 60_000) }
      const problem = new Error('Could not load credentials from any providers')
      throw Object.assign(problem, { name: 'CredentialsProviderError' })
    },
  })
  onTestFinished(async () => {
    client.destroy()
    await service.close()
  })
  const log = new KinesisProducerLog({ client })
  const append = () => log.append('s', [{ partitionKey: 'k', data: new Uint8Array(1) }])
  return { source, script, append }
}

describe('credentials', () => {
  it('that are not there at first are a mistake, which is told with the next step', async () => {
    const { source, append } = await open()
    source.isThere = false
    await expect(append()).rejects.toMatchObject({
      code: 'EDDY_KINESIS_REFUSED',
      retryable: false,
      message: expect.stringContaining('Set AWS_ACCESS_KEY_ID'),
    })
  })

  it('I9: that cannot be renewed may be there again soon', async () => {
    const { source, script, append } = await open()
    await append()

    source.isThere = false
    await expect(append()).rejects.toMatchObject({
      code: 'EDDY_KINESIS_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('Could not load credentials'),
    })
    source.isThere = true
    script.push({ status: 400, body: { __type: 'ExpiredTokenException', message: 'expired' } })
    await expect(append()).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE', retryable: true })

    await expect(append()).resolves.toMatchObject([{ ok: true }])
  })
})
