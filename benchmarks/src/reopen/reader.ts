import { openEmbedded } from '@eddy/embedded'
import { defineApp, open, stream, subscribe } from 'eddy'
import { scriptOptions, tellParent } from '../support/script-process.ts'

export interface ReaderOptions {
  readonly dataDir: string
  readonly by: 'engine' | 'application'
}

export interface FirstRead {
  /** From the call of `open` to its answer. */
  readonly openMs: number
  /** From the call of `open` to the first record read, or event handled. */
  readonly firstReadMs: number
}

const STREAM = 'bench'
const SHARDS = 4

/** A program: opens the data directory, tells how long it took to the first read, and waits to be killed. */
async function read(): Promise<void> {
  const { dataDir, by } = scriptOptions<ReaderOptions>()
  await tellParent(by === 'engine' ? await readByEngine(dataDir) : await readByApplication(dataDir))
}

async function readByEngine(dataDir: string): Promise<FirstRead> {
  const startedMs = performance.now()
  const engine = await openEmbedded({ dataDir })
  const openMs = performance.now() - startedMs
  for (const { shardId } of await engine.log.listShards(STREAM)) {
    const { records } = await engine.log.read({
      stream: STREAM,
      shardId,
      from: { at: 'trim_horizon' },
      maxRecords: 1,
      maxBytes: 1_048_576,
      waitMs: 0,
    })
    if (records.length > 0) return { openMs, firstReadMs: performance.now() - startedMs }
  }
  throw new Error('the log is empty')
}

async function readByApplication(dataDir: string): Promise<FirstRead> {
  const startedMs = performance.now()
  let onEvent: () => void = () => {}
  const handled = new Promise<void>((resolve) => {
    onEvent = resolve
  })
  const first = subscribe('first', stream(STREAM, { shards: SHARDS }), { handle: async () => onEvent() })
  await open(defineApp({ subscriptions: [first] }), { dataDir })
  const openMs = performance.now() - startedMs
  await handled
  return { openMs, firstReadMs: performance.now() - startedMs }
}

await read()
