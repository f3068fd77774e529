import {
  type AppendOutcome,
  InvalidOptionError,
  type NewEvent,
  type NewMessage,
  type QueueDefinition,
  type SendOutcome,
  type StreamDefinition,
} from '@eddy/core'
import type { Backoff } from './backoff.ts'
import { EventQueue } from './event-queue.ts'
import { Transport } from './transport.ts'

export interface ConnectOptions {
  /** Sent as a bearer token; needed where the server was started with one. */
  readonly token?: string
  /** Give up on an append when the server accepted nothing for this long; 1,000 or more, default 60,000. */
  readonly giveUpAfterMs?: number
  readonly backoff?: Backoff
}

/** A producer in another process than the engine's. */
export interface RemoteProducer {
  readonly url: string
  /**
   * Stores events and says what became of each, in order. Appends are sent one after another, several in one request
   * where they wait; an append whose outcome got lost is sent again and stored once.
   *
   * @throws ConnectionError no answer for `giveUpAfterMs`: the last events may or may not be stored
   * @throws RemoteError the server refused the request: nothing of it was stored
   */
  append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
  ): Promise<readonly AppendOutcome[]>
  /**
   * Sends messages to a queue of the application, in the same way: a send whose outcome got lost is sent again and
   * stored once, as long as the answer comes within the queue's deduplication window.
   *
   * @throws ConnectionError, RemoteError as `append`
   */
  send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]>
  /** Resolves when what was appended before has its outcome. Later appends are refused. */
  close(): Promise<void>
}

/**
 * Connects to a running `eddy start`.
 *
 * @example
 * const eddy = await connect('http://127.0.0.1:4010')
 * await eddy.append('orders', { key: 'customer-7', data: { total: 12 } })
 * await eddy.close()
 * @throws ConnectionError nothing answers there
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<RemoteProducer> {
  if (!/^https?:\/\//.test(url)) {
    throw new InvalidOptionError('url', 'an address such as http://127.0.0.1:4010', url)
  }
  const { giveUpAfterMs = 60_000, token, backoff } = options
  if (!(giveUpAfterMs >= 1_000)) {
    throw new InvalidOptionError('giveUpAfterMs', '1000 or more milliseconds', giveUpAfterMs)
  }
  const transport = new Transport({ url, ...(token === undefined ? {} : { token }) })
  await transport.text({ method: 'GET', path: '/healthz' })
  const queue = new EventQueue({ transport, giveUpAfterMs, ...(backoff === undefined ? {} : { backoff }) })
  return {
    url: transport.url,
    append(stream, events) {
      const name = typeof stream === 'string' ? stream : stream.name
      return queue.append(name, Array.isArray(events) ? events : [events as NewEvent])
    },
    send(target, messages) {
      const name = typeof target === 'string' ? target : target.name
      return queue.send(name, Array.isArray(messages) ? messages : [messages as NewMessage])
    },
    close: () => queue.close(),
  }
}
