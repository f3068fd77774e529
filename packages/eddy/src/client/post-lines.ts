import type { AppendEntry, AppendErrorCode, AppendOutcome, AppendResult, SendOutcome } from '@eddy/core'
import { RemoteError } from './remote-error.ts'
import { formatSequenceRanges } from './sequence-ranges.ts'
import { isUnsent, type Query, type Transport } from './transport.ts'

/** What an answer says of a record or of a message. */
type Outcome = AppendOutcome | SendOutcome

export interface LinesRequest {
  /** Of the stream's records or the queue's messages. */
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  /** A line an entry, without its line end. */
  readonly lines: readonly (readonly Uint8Array[])[]
  readonly timeoutMs: number
}

const LINE_END = new Uint8Array([10])
/** Answers of a server that refused the request before it looked at a record. */
const REFUSED_AT_THE_DOOR: readonly string[] = ['EDDY_SERVER_BUSY', 'EDDY_THROTTLED']

/**
 * Posts entries as newline-delimited JSON, once. Each run of entries of one producer is a request of its own, since a
 * request names one.
 *
 * @returns one result an entry, in order
 * @throws ConnectionError, RemoteError that is retryable: any of them may have been stored; other RemoteErrors: none was
 */
export async function postLines(
  transport: Transport,
  entries: readonly AppendEntry[],
  request: LinesRequest,
): Promise<readonly AppendResult[]> {
  const results: AppendResult[] = []
  for (let from = 0; from < entries.length; ) {
    const producerId = entries[from]?.producerId
    let to = from + 1
    while (to < entries.length && entries[to]?.producerId === producerId) to += 1
    const run = entries.slice(from, to)
    results.push(...(await postRun(transport, run, { ...request, lines: request.lines.slice(from, to) })))
    from = to
  }
  return results
}

async function postRun(
  transport: Transport,
  run: readonly AppendEntry[],
  { path, query, headers, lines, timeoutMs }: LinesRequest,
): Promise<readonly AppendResult[]> {
  try {
    const answer = await transport.json<{ readonly results?: unknown } | undefined>({
      method: 'POST',
      path,
      ...(query !== undefined && { query }),
      headers: { ...headers, ...marksOf(run) },
      contentType: 'application/x-ndjson',
      body: Buffer.concat(lines.flatMap((line) => [...line, LINE_END])),
      timeoutMs,
    })
    return resultsOf(answer?.results, run.length)
  } catch (error) {
    const known = resultsOfRefusal(error, run.length)
    if (known === undefined) throw error
    return known
  }
}

function marksOf(run: readonly AppendEntry[]): Readonly<Record<string, string>> {
  const producerId = run[0]?.producerId
  if (producerId === undefined) return {}
  const sequences = run.map(({ producerSequence = 0 }) => producerSequence)
  return { 'eddy-producer-id': producerId, 'eddy-sequences': formatSequenceRanges(sequences) }
}

function resultsOf(results: unknown, count: number): readonly AppendResult[] {
  if (Array.isArray(results) && results.length === count) return (results as Outcome[]).map(resultOf)
  const received = Array.isArray(results) ? results.length : 'no'
  throw new RemoteError(`the server answered ${received} results for ${count} records`, {
    code: 'EDDY_REMOTE',
    retryable: false,
    status: 200,
  })
}

/** What is known of each entry although the request failed; undefined: nothing, or nothing that differs. */
function resultsOfRefusal(error: unknown, count: number): readonly AppendResult[] | undefined {
  if (error instanceof RemoteError) {
    // A request without one readable record is refused as a whole; the problem still says what was wrong with each.
    if (error.status === 400 && Array.isArray(error.problem.results))
      return resultsOf(error.problem.results, count)
    return REFUSED_AT_THE_DOOR.includes(error.code) ? everyOne(error, error.code, count) : undefined
  }
  return isUnsent(error) ? everyOne(error as Error, 'EDDY_CONNECTION', count) : undefined
}

function everyOne({ message }: Error, code: AppendErrorCode, count: number): readonly AppendResult[] {
  return new Array<AppendResult>(count).fill({ ok: false, code, retryable: true, message })
}

function resultOf(outcome: Outcome): AppendResult {
  if (!outcome.ok) return { ...outcome, code: outcome.code as AppendErrorCode }
  if ('messageId' in outcome) {
    const { messageId, duplicate } = outcome
    return { ok: true, shardId: 'queue', sequenceNumber: messageId, duplicate }
  }
  const { shardId, sequenceNumber, duplicate } = outcome
  return { ok: true, shardId, sequenceNumber, duplicate }
}
