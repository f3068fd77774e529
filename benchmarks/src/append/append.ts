import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AppendEntry } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { defineApp, type NewEvent, open, stream } from 'eddy'
import type { Benchmark, Result, Settings } from '../support/benchmark.ts'
import { sampleData } from '../support/sample-events.ts'
import { shardKeys } from '../support/shard-keys.ts'
import { median } from '../support/statistics.ts'
import { SegmentFile } from './segment-files.ts'

const SHARDS = 4
const CHUNK = 500
const CHUNKS_A_SHARD = 60
const RECORDS = SHARDS * CHUNK * CHUNKS_A_SHARD
const REPETITIONS = 5
const RECORD_BYTES = 1_024

/** One chunk a shard, used for every write: all sides get the same bytes, and making them costs nothing. */
interface Chunk {
  readonly entries: readonly AppendEntry[]
  readonly events: readonly NewEvent[]
}

/** Durable append, one chunk of 500 in flight for each of 4 shards, against segment files written the same way. */
export const append: Benchmark = {
  name: 'append',
  timeoutMs: 90_000,
  async run(settings) {
    const chunks = shardKeys(SHARDS, CHUNK).map(chunkOf)
    const sides = { files: toFiles, engine: toEngine, app: toApp }
    const rates = { files: [] as number[], engine: [] as number[], app: [] as number[] }
    for (let repetition = 0; repetition <= REPETITIONS; repetition += 1) {
      for (const side of ['files', 'engine', 'app'] as const) {
        settings.say(`repetition ${repetition}, ${side}`)
        const ms = await inFolder(settings, (dir) => sides[side](dir, chunks))
        // The first round warms up.
        if (repetition > 0) rates[side].push((RECORDS / ms) * 1_000)
      }
    }
    return resultsOf(rates)
  },
}

function resultsOf(rates: Record<'files' | 'engine' | 'app', number[]>): Result[] {
  const files = median(rates.files)
  const side = (what: string, of: readonly number[], target: boolean): Result => ({
    what,
    value: median(of) / files,
    unit: 'ratio',
    ...(target && { target: { kind: 'at least', value: 0.4 } }),
    note: `${perSecond(median(of))} against ${perSecond(files)} of segment files`,
    details: { rates: of, segmentFileRates: rates.files },
  })
  return [
    side('append through the Log port ÷ segment files', rates.engine, true),
    side('append of events, encoding included ÷ segment files', rates.app, false),
  ]
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en-US')}/s`
}

async function inFolder(settings: Settings, measure: (dir: string) => Promise<number>): Promise<number> {
  const dir = join(settings.dir, 'side')
  mkdirSync(dir)
  try {
    return await measure(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function chunkOf(keys: readonly string[]): Chunk {
  return {
    entries: keys.map((partitionKey) => ({
      partitionKey,
      data: new Uint8Array(Buffer.alloc(RECORD_BYTES, 'x')),
    })),
    events: keys.map((key, index) => ({ key, data: sampleData(index) })),
  }
}

async function toFiles(dir: string, chunks: readonly Chunk[]): Promise<number> {
  const files = await Promise.all(chunks.map((_, shard) => SegmentFile.create(dir, shard)))
  const ms = await timed(files, (file, shard) => file.append((chunks[shard] as Chunk).entries))
  for (const file of files) await file.close()
  return ms
}

async function toEngine(dir: string, chunks: readonly Chunk[]): Promise<number> {
  const engine = await openEmbedded({ dataDir: dir })
  await engine.log.createStream({
    name: 'bench',
    shardCount: SHARDS,
    retentionMs: 86_400_000,
    durability: 'fsync',
  })
  const ms = await timed(chunks, async ({ entries }) => {
    const results = await engine.log.append('bench', entries)
    if (results.some((result) => !result.ok)) throw new Error('an append was refused')
  })
  await engine.close()
  return ms
}

async function toApp(dir: string, chunks: readonly Chunk[]): Promise<number> {
  const bench = stream('bench', { shards: SHARDS })
  const eddy = await open(defineApp({ streams: [bench], subscriptions: [] }), { dataDir: dir })
  const ms = await timed(chunks, async ({ events }) => {
    const outcomes = await eddy.append(bench, events)
    if (outcomes.some((outcome) => !outcome.ok)) throw new Error('an append was refused')
  })
  await eddy.close()
  return ms
}

/** All shards at once, each one chunk after another. @returns milliseconds */
async function timed<T>(
  sides: readonly T[],
  write: (side: T, shard: number) => Promise<void>,
): Promise<number> {
  const startedMs = performance.now()
  await Promise.all(
    sides.map(async (side, shard) => {
      for (let chunk = 0; chunk < CHUNKS_A_SHARD; chunk += 1) await write(side, shard)
    }),
  )
  return performance.now() - startedMs
}
