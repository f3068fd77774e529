import type { AppendOutcome } from '@eddy/core'
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeRequest,
  type FakeServer,
  fakeServer,
} from './fake-server.ts'

export interface FakeLog {
  /** The data of what is stored, in the order in which it was. */
  readonly stored: unknown[]
  /** The events themselves. */
  readonly events: unknown[]
  /** Takes one append request: stores each line once per producer and sequence. */
  append(request: FakeRequest): FakeAnswer
}

/** The append route over an array, with the deduplication that every engine promises. */
export function fakeLog(refuse: (data: unknown) => string | undefined = () => undefined): FakeLog {
  const events: unknown[] = []
  const stored: unknown[] = []
  const seen = new Set<string>()
  return {
    stored,
    events,
    append({ headers, body }) {
      const producer = String(headers['eddy-producer-id'])
      const sequences = sequencesOf(String(headers['eddy-sequences']))
      const lines = body.split('\n').filter((line) => line !== '')
      if (lines.length !== sequences.length)
        throw new Error(`${sequences.length} sequences, ${lines.length} lines`)
      const results = lines.map((line, index): AppendOutcome => {
        const place = `${producer}/${sequences[index]}`
        const event = JSON.parse(line) as { readonly specversion?: string; readonly data?: unknown }
        const data = event.specversion === undefined ? event : event.data
        const problem = refuse(data)
        if (problem === 'throttled')
          return { ok: false, code: 'throttled', retryable: true, message: problem }
        if (problem !== undefined)
          return { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message: problem }
        const duplicate = seen.has(place)
        seen.add(place)
        if (!duplicate) {
          stored.push(data)
          events.push(event)
        }
        const sequenceNumber = String(stored.length)
        return { ok: true, id: place, shardId: SHARD.shardId, sequenceNumber, duplicate }
      })
      const failedCount = results.filter((result) => !result.ok).length
      return { json: { failedCount, results } }
    },
  }
}

/** `3,7-9` as [3, 7, 8, 9]. */
export function sequencesOf(ranges: string): number[] {
  return ranges.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

const SHARD = {
  shardId: 'shardId-000000000000',
  startingHashKey: '0',
  endingHashKey: String((1n << 128n) - 1n),
  parentShardIds: [],
  depth: 0,
  startingSequenceNumber: '0',
  open: true,
}

/** A server with streams of one shard and no limits; what else it is asked, the handler answers. */
export async function streamServer(handler: FakeHandler, port = 0): Promise<FakeServer> {
  const server = await fakeServer((request) => {
    if (request.path === '/healthz') return { json: {} }
    const name = /^\/v1\/streams\/([^/]+)$/.exec(request.path)?.[1]
    return name === undefined ? handler(request) : { json: { name, shards: [SHARD], subscriptions: [] } }
  }, port)
  return {
    ...server,
    /** Without the questions about the stream. */
    get requests() {
      return server.requests.filter(({ method }) => method === 'POST')
    },
  }
}
