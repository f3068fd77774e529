import type { AppendEntry, AppendResult, ProducerLog, ShardInfo, StreamDetail, StreamInfo } from '@eddy/core'
import { postLines } from './post-lines.ts'
import type { Transport } from './transport.ts'

const REQUEST_TIMEOUT_MS = 30_000
const encoder = new TextEncoder()
const ONCE = { 'eddy-tries': '1' }
const CLOSING_BRACE = encoder.encode('}')

/**
 * What a producer needs of a log, over HTTP to the process that owns it. Entries are events, encoded as CloudEvents; the
 * server decodes them, checks them against the stream's schema and asks its log once (`eddy-tries: 1`).
 *
 * `append` throws what `Transport` throws. A retryable error leaves unknown what was stored: the producer sends the same
 * entries again, and the log over there drops the copies by their marks (I1, I2).
 */
export class HttpLog implements ProducerLog {
  readonly keepsKeyOrder = true
  readonly dropsCopies = true
  readonly takesEventsAlone = true
  readonly #transport: Transport
  readonly #timeoutMs: number

  /** @param requestTimeoutMs - until the whole answer is there; default 30,000 */
  constructor(transport: Transport, requestTimeoutMs: number = REQUEST_TIMEOUT_MS) {
    this.#transport = transport
    this.#timeoutMs = requestTimeoutMs
  }

  append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    // `orderedAfter` needs no word to the server: what it was told of is stored, and what comes later goes after it.
    return postLines(this.#transport, entries, {
      path: `${streamPath(stream)}/records`,
      headers: ONCE,
      lines: entries.map(lineOf),
      timeoutMs: this.#timeoutMs,
    })
  }

  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    return (await this.#show(stream)).shards
  }

  describeStream(stream: string): Promise<Pick<StreamInfo, 'limits'>> {
    return this.#show(stream)
  }

  #show(stream: string): Promise<StreamDetail> {
    return this.#transport.json({ method: 'GET', path: streamPath(stream), timeoutMs: this.#timeoutMs })
  }
}

function streamPath(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}`
}

/** The envelope; where a hash key places it, both. */
function lineOf({ data, explicitHashKey }: AppendEntry): readonly Uint8Array[] {
  if (explicitHashKey === undefined) return [data]
  const start = `{"explicitHashKey":${JSON.stringify(explicitHashKey)},"event":`
  return [encoder.encode(start), data, CLOSING_BRACE]
}
