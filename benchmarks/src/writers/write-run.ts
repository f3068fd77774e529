import { join } from 'node:path'
import { ScriptProcess } from '../support/script-process.ts'
import { EddyServer } from './eddy-server.ts'
import type { NaiveOptions } from './naive-writer.ts'
import { readStored, type StoredRecords } from './stored-records.ts'
import type { WriterOptions } from './writer.ts'
import { SHARDS, type Share, STREAM } from './writer-records.ts'
import type { WriterReport } from './writer-report.ts'

export type Way = 'http' | 'aws' | 'naive'

export interface RunOptions {
  /** A folder for the server's data. */
  readonly dir: string
  readonly way: Way
  readonly writers: number
  /** Of all writers together. */
  readonly records: number
  /** Half of all records have one key. */
  readonly isHot?: boolean
  readonly isWithoutHotKey?: boolean
}

export interface RunResult {
  /** From the first writer's start to the last one's end. */
  readonly ms: number
  /** Until the last record of a shard without the hot key. */
  readonly othersMs: number
  readonly accepted: number
  readonly failed: number
  readonly resent: number
  readonly calls: number
  readonly stored: StoredRecords
}

/** For processes to be there and connected, before all begin at once. */
const HEAD_START_MS = 3_000
/** A writer that is told no more than this slower than the limits allow hangs. */
const SLOWEST = 6

/** A server with a fresh stream under the limits of Kinesis, and writers in processes of their own, until all have written. */
export async function writeRun(options: RunOptions): Promise<RunResult> {
  const { dir, way, writers, records } = options
  const dataDir = join(dir, 'data')
  const server = await EddyServer.start(
    dataDir,
    way === 'http' ? [] : ['--aws-port', '0', '--aws-region', 'us-east-1'],
  )
  let reports: readonly WriterReport[]
  try {
    await createStream(server.addresses.url)
    const url = way === 'http' ? server.addresses.url : addressOf(server)
    const startAtMs = Date.now() + HEAD_START_MS
    const timeoutMs = HEAD_START_MS + 60_000 + SLOWEST * (records / SHARDS)
    reports = await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        reportOf(shareOf(options, writer), { way, url, startAtMs, timeoutMs }),
      ),
    )
  } finally {
    await server.stop()
  }
  const startedAtMs = Math.min(...reports.map((report) => report.startedAtMs))
  const since = (pick: (report: WriterReport) => number): number =>
    Math.max(...reports.map(pick)) - startedAtMs
  const sum = (pick: (report: WriterReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0)
  return {
    ms: since((report) => report.endedAtMs),
    othersMs: since((report) => report.othersEndedAtMs),
    accepted: sum((report) => report.accepted),
    failed: sum((report) => report.failed),
    resent: sum((report) => report.resent),
    calls: sum((report) => report.calls),
    stored: await readStored(dataDir, STREAM),
  }
}

function shareOf(
  { writers, records, isHot = false, isWithoutHotKey = false }: RunOptions,
  writer: number,
): Share {
  const own = Math.floor(records / writers) + (writer < records % writers ? 1 : 0)
  return { writer, writers, records: own, isHot, isWithoutHotKey }
}

async function reportOf(
  share: Share,
  to: { readonly way: Way; readonly url: string; readonly startAtMs: number; readonly timeoutMs: number },
): Promise<WriterReport> {
  const { way, url, startAtMs, timeoutMs } = to
  const naive: NaiveOptions = { share, awsUrl: url, startAtMs }
  const process =
    way === 'naive'
      ? new ScriptProcess('writers/naive-writer.js', naive)
      : new ScriptProcess('writers/writer.js', { share, via: way, url, startAtMs } satisfies WriterOptions)
  try {
    return await process.next<WriterReport>(timeoutMs)
  } finally {
    await process.kill()
  }
}

async function createStream(url: string): Promise<void> {
  const response = await fetch(`${url}/v1/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: STREAM, shardCount: SHARDS, limits: 'kinesis' }),
  })
  if (!response.ok) throw new Error(`no stream: ${response.status} ${await response.text()}`)
}

function addressOf({ addresses }: EddyServer): string {
  if (addresses.awsUrl === undefined) throw new Error('eddy start said no address of its AWS endpoint')
  return addresses.awsUrl
}
