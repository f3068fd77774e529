import { join } from 'node:path'
import type { Benchmark, Result } from '../support/benchmark.ts'
import type { FillOptions } from '../support/fill-log.ts'
import { ScriptProcess } from '../support/script-process.ts'
import { median } from '../support/statistics.ts'
import type { FirstRead, ReaderOptions } from './reader.ts'

const LOG_BYTES = 1_073_741_824
const RECORD_BYTES = 1_024
const REPETITIONS = 3
const TIMEOUT_MS = 30_000

interface Measured extends FirstRead {
  /** From the start of the process: Node itself and the modules included. */
  readonly spawnMs: number
}

/** 1 GiB of log whose writer was killed: how soon the first record is read. */
export const reopen: Benchmark = {
  name: 'reopen',
  timeoutMs: 120_000,
  async run({ dir, say }) {
    const dataDir = join(dir, 'data')
    say('writing 1 GiB')
    await writeAndKill(dataDir)
    const runs: Record<ReaderOptions['by'], Measured[]> = { engine: [], application: [] }
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      for (const by of ['engine', 'application'] as const) {
        say(`repetition ${repetition}, ${by}`)
        runs[by].push(await firstRead(dataDir, by))
      }
    }
    return [
      resultOf('engine: open to first read after kill -9, 1 GiB', runs.engine),
      resultOf('application: open to first handled event', runs.application),
    ]
  },
}

function resultOf(what: string, runs: readonly Measured[]): Result {
  const of = (name: keyof Measured): number => median(runs.map((run) => run[name]))
  return {
    what,
    value: of('firstReadMs'),
    unit: 'ms',
    target: { kind: 'at most', value: 1_000 },
    note: `open alone ${of('openMs').toFixed(0)} ms, from the start of the process ${of('spawnMs').toFixed(0)} ms; pages cached`,
    details: {
      firstReadMs: runs.map((run) => run.firstReadMs),
      openMs: runs.map((run) => run.openMs),
      spawnMs: runs.map((run) => run.spawnMs),
    },
  }
}

async function writeAndKill(dataDir: string): Promise<void> {
  const options: FillOptions = {
    dataDir,
    stream: 'bench',
    shards: 4,
    events: LOG_BYTES / RECORD_BYTES,
    data: '1 KiB',
    goOn: true,
  }
  const writer = new ScriptProcess('support/fill-log.js', options)
  try {
    await writer.next(90_000)
  } finally {
    await writer.kill()
  }
}

/** Each reader is killed too, so that every one of them opens after a crash. */
async function firstRead(dataDir: string, by: ReaderOptions['by']): Promise<Measured> {
  const startedMs = performance.now()
  const reader = new ScriptProcess('reopen/reader.js', { dataDir, by })
  try {
    const read = await reader.next<FirstRead>(TIMEOUT_MS)
    return { ...read, spawnMs: performance.now() - startedMs }
  } finally {
    await reader.kill()
  }
}
