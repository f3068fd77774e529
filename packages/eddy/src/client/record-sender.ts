import { randomUUID } from 'node:crypto'
import { type AppendOutcome, ConnectionError, isEddyError, type SendOutcome } from '@eddy/core'
import { type Backoff, backoffDelayMs, wait } from './backoff.ts'
import { RemoteError } from './remote-error.ts'
import { isUnsent, type Query, type Transport } from './transport.ts'

/** The server's limits for one request are 500 records and 16 MiB; half of the bytes leaves room for one long record. */
export const MAX_BATCH_RECORDS = 500
export const MAX_BATCH_BYTES: number = 8 * 1024 * 1024
/** A longer record would not fit the server's request limit alone. */
export const MAX_RECORD_BYTES: number = 15 * 1024 * 1024

export interface RecordSenderOptions {
  readonly transport: Transport
  /** With the sequence, what the server knows a repeated record by. Default: a random UUID. */
  readonly producerId?: string
  /** Give up when nothing was accepted for this long; default 60,000. */
  readonly giveUpAfterMs?: number
  readonly backoff?: Backoff
  /** Told of every try that failed and will be repeated. */
  readonly onRetry?: (problem: string, delayMs: number) => void
}

/** The fate of a record or a message. */
export type Outcome = AppendOutcome | SendOutcome

export function recordsPath(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}/records`
}

export function messagesPath(queue: string): string {
  return `/v1/queues/${encodeURIComponent(queue)}/messages`
}

/** Records for one request: NDJSON lines without their line ends. */
export interface RecordBatch {
  /** Of the stream or queue; see `recordsPath` and `messagesPath`. */
  readonly path: string
  readonly lines: readonly Uint8Array[]
  readonly query?: Query
  /** Producer sequence of the first line; the others follow by one. Never falls from batch to batch. */
  readonly firstSequence: number
}

const DEFAULT_BACKOFF: Backoff = { initialMs: 100, maxMs: 2_000 }
const REQUEST_TIMEOUT_MS = 30_000
/** A record that the server refuses retryably this often is reported as failed. */
const MAX_REFUSALS = 8
const LINE_END = new Uint8Array([10])

/**
 * Sends batches of records so that each is stored once.
 *
 * An outcome that is not known (no answer, a lost connection, a server error) is answered by sending the same records
 * under the same producer sequence: the log drops the copies. A record that the server says it did not store is sent
 * again under a new sequence of a second producer id, since the first one may have moved past it. One request is in
 * flight at a time: that keeps the order of every key.
 */
export class RecordSender {
  readonly producerId: string
  readonly #options: RecordSenderOptions
  readonly #redoId = randomUUID()
  #redoSequence = 1
  #mayHaveStored = false

  constructor(options: RecordSenderOptions) {
    this.#options = options
    this.producerId = options.producerId ?? randomUUID()
  }

  /**
   * @returns one outcome a line, in order
   * @throws ConnectionError nothing could be sent for `giveUpAfterMs`; RemoteError the server refused the request
   */
  async send<O extends Outcome = AppendOutcome>(
    batch: RecordBatch,
    signal?: AbortSignal,
  ): Promise<readonly O[]> {
    const first = await this.#sendKnown<O>(batch, this.producerId, batch.firstSequence, signal)
    const outcomes = [...first]
    for (let refusals = 1; refusals < MAX_REFUSALS; refusals += 1) {
      const open = indexesToRepeat(outcomes)
      if (open.length === 0) break
      await this.#pause(refusals, `${open.length} records refused for now`, signal)
      const lines = open.map((index) => batch.lines[index] as Uint8Array)
      const sequence = this.#redoSequence
      this.#redoSequence += lines.length
      const again = await this.#sendKnown<O>({ ...batch, lines }, this.#redoId, sequence, signal)
      for (const [place, index] of open.entries()) outcomes[index] = again[place] as O
    }
    return outcomes
  }

  /** True once a request got no answer that tells its outcome: its records may be in the log. */
  get mayHaveStored(): boolean {
    return this.#mayHaveStored
  }

  /** Repeats one request under one sequence until its outcome is known. */
  async #sendKnown<O>(
    batch: RecordBatch,
    producerId: string,
    firstSequence: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly O[]> {
    const giveUpAtMs = performance.now() + (this.#options.giveUpAfterMs ?? 60_000)
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#request<O>(batch, producerId, firstSequence)
      } catch (error) {
        const repeat = error instanceof ConnectionError || (error instanceof RemoteError && error.retryable)
        if (repeat && !isUnsent(error)) this.#mayHaveStored = true
        if (!repeat || performance.now() >= giveUpAtMs) throw error
        await this.#pause(tries, isEddyError(error) ? error.message : String(error), signal)
      }
    }
  }

  // The request itself is not aborted by the signal: a stop waits for the outcome, so that the count is true.
  async #request<O>(
    { path, lines, query }: RecordBatch,
    producerId: string,
    firstSequence: number,
  ): Promise<readonly O[]> {
    const results = await this.#options.transport
      .json<{ results: readonly O[] }>({
        method: 'POST',
        path,
        ...(query === undefined ? {} : { query }),
        headers: { 'eddy-producer-id': producerId, 'eddy-first-sequence': String(firstSequence) },
        contentType: 'application/x-ndjson',
        body: Buffer.concat(lines.flatMap((line) => [line, LINE_END])),
        timeoutMs: REQUEST_TIMEOUT_MS,
      })
      .then((answer) => answer?.results, resultsOfRefusal<O>)
    if (!Array.isArray(results) || results.length !== lines.length) {
      const received = Array.isArray(results) ? results.length : 'no'
      throw new RemoteError(`the server answered ${received} results for ${lines.length} records`, {
        code: 'EDDY_REMOTE',
        retryable: false,
        status: 200,
      })
    }
    return results
  }

  async #pause(tries: number, problem: string, signal: AbortSignal | undefined): Promise<void> {
    const delayMs = backoffDelayMs(tries, this.#options.backoff ?? DEFAULT_BACKOFF)
    this.#options.onRetry?.(problem, delayMs)
    await wait(delayMs, signal)
  }
}

/** A request without one readable record is refused as a whole; the problem still says what was wrong with each. */
function resultsOfRefusal<O>(error: unknown): readonly O[] {
  if (error instanceof RemoteError && error.status === 400 && Array.isArray(error.problem.results)) {
    return error.problem.results as readonly O[]
  }
  throw error
}

function indexesToRepeat(outcomes: readonly Outcome[]): readonly number[] {
  return outcomes.flatMap((outcome, index) => (!outcome.ok && outcome.retryable ? [index] : []))
}
