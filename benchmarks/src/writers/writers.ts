import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark, Result, Settings } from '../support/benchmark.ts'
import { type RunResult, type Way, writeRun } from './write-run.ts'

interface Round {
  readonly what: string
  readonly way: Way
  readonly writers: number
  /** Of the sendings; undefined: not a target. */
  readonly maxResentShare?: number
}

const ROUNDS: readonly Round[] = [
  { what: 'HTTP, 1 writer', way: 'http', writers: 1, maxResentShare: 0.03 },
  { what: 'HTTP, 8 writers', way: 'http', writers: 8, maxResentShare: 0.1 },
  { what: 'Kinesis API, 1 writer', way: 'aws', writers: 1, maxResentShare: 0.03 },
  { what: 'Kinesis API, 8 writers', way: 'aws', writers: 8, maxResentShare: 0.1 },
  { what: 'naive, 1 writer', way: 'naive', writers: 1 },
  { what: 'naive, 8 writers', way: 'naive', writers: 8 },
]

const MAX_TIME = 1.1
const MAX_HOT_TIME = 1.1

/**
 * Writers in processes of their own fill a stream of 10 shards under the limits of Kinesis: how much longer than the limits
 * ask for, what is sent again, and whether every record is there once, in order. Beside it the recipe of tutorials.
 */
export const writers: Benchmark = {
  name: 'writers',
  timeoutMs: 3_600_000,
  async run(settings) {
    const results: Result[] = []
    for (const round of ROUNDS) {
      settings.say(round.what)
      const run = await inFolder(settings, (dir) =>
        writeRun({ dir, way: round.way, writers: round.writers, records: settings.records }),
      )
      results.push(...linesOf(round, run, settings.records))
    }
    return [...results, await hotShard(settings)]
  },
}

function linesOf({ what, way, maxResentShare }: Round, run: RunResult, records: number): Result[] {
  const { stored, ms, failed, resent, calls } = run
  const isOurs = way !== 'naive'
  const losses = records - stored.distinct
  const seconds = `${(ms / 1_000).toFixed(1)} s, the limits ask for ${(stored.boundMs / 1_000).toFixed(1)} s`
  const exactly = { kind: 'at most', value: 0 } as const
  return [
    {
      what: `${what}: time ÷ bound`,
      value: ms / stored.boundMs,
      unit: 'ratio',
      note: `${seconds}; ${calls.toLocaleString('en-US')} calls`,
      ...(isOurs && { target: { kind: 'at most', value: MAX_TIME } as const }),
      details: { ms, boundMs: stored.boundMs },
    },
    {
      what: `${what}: sent again ÷ records`,
      value: resent / records,
      unit: 'ratio',
      note: `${resent.toLocaleString('en-US')} of ${records.toLocaleString('en-US')}`,
      ...(maxResentShare !== undefined && { target: { kind: 'at most', value: maxResentShare } as const }),
    },
    {
      what: `${what}: lost + handled twice + out of order`,
      value: losses + stored.handledCopies + stored.overtaken,
      unit: 'count',
      note: `${losses} lost, ${stored.handledCopies} handled twice (${stored.copies} copies stored), ${stored.overtaken} after a later one of their key`,
      ...(isOurs && { target: exactly }),
      details: {
        losses,
        copies: stored.copies,
        handledCopies: stored.handledCopies,
        overtaken: stored.overtaken,
        failed,
      },
    },
  ]
}

/** Half of all records on one key: the others' time, with and without it. */
async function hotShard(settings: Settings): Promise<Result> {
  const one = (isWithoutHotKey: boolean): Promise<RunResult> =>
    inFolder(settings, (dir) =>
      writeRun({ dir, way: 'http', writers: 1, records: settings.records, isHot: true, isWithoutHotKey }),
    )
  settings.say('hot shard: without the hot key')
  const without = await one(true)
  settings.say('hot shard')
  const withHot = await one(false)
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
  return {
    what: 'hot shard: the other shards’ time with it ÷ without it',
    value: withHot.othersMs / without.othersMs,
    unit: 'ratio',
    note: `${seconds(withHot.othersMs)} with half of all records on one key, ${seconds(without.othersMs)} without them; ${withHot.stored.overtaken} out of order`,
    target: { kind: 'at most', value: MAX_HOT_TIME },
    details: { withMs: withHot.othersMs, withoutMs: without.othersMs },
  }
}

async function inFolder<T>(settings: Settings, run: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(settings.dir, 'run-'))
  try {
    return await run(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
