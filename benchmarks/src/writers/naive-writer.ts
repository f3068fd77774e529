import { setTimeout as sleep } from 'node:timers/promises'
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { kinesisClient } from '@eddy/aws/kinesis'
import { scriptOptions, tellParent } from '../support/script-process.ts'
import { eventsOf, type Share, STREAM } from './writer-records.ts'
import type { WriterReport } from './writer-report.ts'

export interface NaiveOptions {
  readonly share: Share
  readonly awsUrl: string
  readonly startAtMs: number
}

const BATCH = 500
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 10_000
const MAX_TRIES = 10

/**
 * A program: what tutorials do. Batches of 500 one after another; of each answer the failed records are sent again after a
 * wait that doubles, ten times at most. It neither paces nor keeps a key's records apart.
 */
async function write(): Promise<void> {
  const { share, awsUrl, startAtMs } = scriptOptions<NaiveOptions>()
  const client = clientOf(awsUrl)
  await sleep(Math.max(0, startAtMs - Date.now()))
  const startedAtMs = Date.now()
  const counts = { accepted: 0, failed: 0, resent: 0, calls: 0 }
  let batch: PutRecordsRequestEntry[] = []
  for (const event of eventsOf(share)) {
    batch.push({
      PartitionKey: event.key,
      Data: Buffer.from(JSON.stringify(envelopeOf(event, share, counts))),
    })
    if (batch.length < BATCH) continue
    await putBatch(client, batch, counts)
    batch = []
  }
  if (batch.length > 0) await putBatch(client, batch, counts)
  const endedAtMs = Date.now()
  const report: WriterReport = { ...counts, startedAtMs, endedAtMs, othersEndedAtMs: endedAtMs }
  await tellParent(report)
  process.disconnect?.()
}

type Counts = { accepted: number; failed: number; resent: number; calls: number }

async function putBatch(
  client: KinesisClient,
  batch: PutRecordsRequestEntry[],
  counts: Counts,
): Promise<void> {
  let records = batch
  let waitMs = FIRST_WAIT_MS
  for (let tries = 1; ; tries += 1) {
    counts.calls += 1
    const { Records: results = [] } = await client.send(
      new PutRecordsCommand({ StreamName: STREAM, Records: records }),
    )
    const failed = records.filter((_, index) => results[index]?.ErrorCode !== undefined)
    counts.accepted += records.length - failed.length
    if (failed.length === 0) return
    if (tries === MAX_TRIES) {
      counts.failed += failed.length
      return
    }
    await sleep(waitMs)
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
    counts.resent += failed.length
    records = failed
  }
}

/** As large as an event of the producer, and as readable. */
function envelopeOf(event: { readonly data: unknown }, { writer }: Share, { calls }: Counts): object {
  return {
    specversion: '1.0',
    id: `${writer}/${calls}`,
    source: 'naive',
    type: `${STREAM}.event`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
  }
}

/** With the SDK's own three attempts a request, as it comes. */
function clientOf(endpoint: string): KinesisClient {
  const { requestHandler } = kinesisClient({ endpoint, region: 'us-east-1' }).config
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return new KinesisClient({ endpoint, region: 'us-east-1', credentials, requestHandler })
}

await write()
