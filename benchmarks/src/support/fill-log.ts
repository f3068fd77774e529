import { defineApp, open, stream } from 'eddy'
import { sampleData } from './sample-events.ts'
import { scriptOptions, tellParent } from './script-process.ts'

export interface FillOptions {
  readonly dataDir: string
  readonly stream: string
  readonly shards: number
  readonly events: number
  readonly data: 'small' | '1 KiB'
  /** Go on after having told that it is done, until killed. */
  readonly goOn: boolean
}

const CHUNK = 500
const CALLERS = 4

/** A program: fills a log with events of distinct keys, tells when that is done. */
async function fillLog(): Promise<void> {
  const { dataDir, stream: name, shards, events, data, goOn } = scriptOptions<FillOptions>()
  const eddy = await open(defineApp({ streams: [stream(name, { shards })], subscriptions: [] }), { dataDir })
  let next = 0
  let stored = 0
  const callers = Array.from({ length: CALLERS }, async () => {
    while (goOn || next < events) {
      const from = next
      next += CHUNK
      const outcomes = await eddy.append(
        name,
        Array.from({ length: goOn ? CHUNK : Math.min(CHUNK, events - from) }, (_, index) => ({
          key: `key-${from + index}`,
          data: data === 'small' ? { order: from + index, status: 'paid' } : sampleData(from + index),
        })),
      )
      if (outcomes.some((outcome) => !outcome.ok)) throw new Error('an append was refused')
      const before = stored
      stored += outcomes.length
      if (goOn && before < events && stored >= events) await tellParent({ stored })
    }
  })
  await Promise.all(callers)
  await eddy.close()
  await tellParent({ stored })
  process.disconnect?.()
}

await fillLog()
