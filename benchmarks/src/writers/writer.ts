import { setTimeout as sleep } from 'node:timers/promises'
import { KinesisProducerLog, kinesisClient } from '@eddy/aws/kinesis'
import { connect, createProducer, type NewEvent, type ProduceOptions, type ProduceReport } from 'eddy'
import { scriptOptions, tellParent } from '../support/script-process.ts'
import { eventsOf, type RecordData, type Share, STREAM } from './writer-records.ts'
import type { WriterReport } from './writer-report.ts'

export interface WriterOptions {
  readonly share: Share
  /** HTTP /v1, or the AWS-compatible endpoint. */
  readonly via: 'http' | 'aws'
  readonly url: string
  readonly startAtMs: number
}

/** Enough for all that a hot key leaves behind, so that it never stops the others. */
const BUFFER = { maxBufferedRecords: 10_000_000, maxBufferedBytes: 4 * 1024 ** 3 }

interface Producing {
  produce(
    stream: string,
    events: Iterable<NewEvent>,
    options: ProduceOptions<NewEvent>,
  ): Promise<ProduceReport<NewEvent>>
  close(): Promise<void> | void
}

/** A program: one writer. With a hot key it ends as soon as the other shards' records are stored. */
async function write(): Promise<void> {
  const { share, via, url, startAtMs } = scriptOptions<WriterOptions>()
  const producer = via === 'http' ? await connect(url) : overKinesis(url)
  const others = share.isHot ? Math.ceil(share.records / 2) : share.records
  const done = new AbortController()
  let accepted = 0
  let failed = 0
  let othersLeft = others
  let othersEndedAtMs = 0
  await sleep(Math.max(0, startAtMs - Date.now()))
  const startedAtMs = Date.now()
  const report = await producer.produce(STREAM, eventsOf(share), {
    ...(share.isHot && { ...BUFFER, signal: done.signal }),
    onOutcome(outcome, _index, event) {
      if (outcome.ok) accepted += 1
      else failed += 1
      if (share.isHot && (event.data as RecordData).n % 2 === 1) return
      othersLeft -= 1
      if (othersLeft > 0) return
      othersEndedAtMs = Date.now()
      if (share.isHot) done.abort()
    },
  })
  const endedAtMs = Date.now()
  await report.remainder.return()
  const { resent, batches: calls } = report
  const told: WriterReport = { startedAtMs, endedAtMs, othersEndedAtMs, accepted, failed, resent, calls }
  await producer.close()
  await tellParent(told)
  process.disconnect?.()
}

function overKinesis(endpoint: string): Producing {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = kinesisClient({ endpoint, region: 'us-east-1', credentials })
  const producer = createProducer(new KinesisProducerLog({ client }))
  return {
    produce: (stream, events, options) => producer.produce(stream, events, options),
    close: () => client.destroy(),
  }
}

await write()
