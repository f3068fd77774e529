import { authorText, pathText } from './lossless-text.ts'

/** What the parser expects of `git log`: hash, author's time in seconds, author. The author is last: it may hold anything. */
export const LOG_FORMAT = 'tformat:commit %H %at %an <%ae>'

const HEADER = /^commit ([0-9a-f]{40,64}) (-?\d*) /
/** What RFC 3339 can say: years 0 to 9999. */
const FIRST_SECOND = Date.parse('0000-01-01T00:00:00Z') / 1_000
const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1_000
const STATUS = /^[ACDMRTUXB]\d*$/
const NUL = 0
const NEWLINE = 10

export interface ParsedChange {
  readonly path: string
  readonly pathBase64?: string
  readonly commit: string
  readonly status: string
  readonly author: string
  readonly authoredAt: string
}

interface Commit {
  readonly commit: string
  readonly author: string
  readonly authoredAt: string
}

/**
 * Reads the output of `git log --name-status -z --format=LOG_FORMAT` as it comes, in memory that does not grow with
 * the history: a header for each commit, then a status and a path for each change, all ended by NUL bytes.
 *
 * @throws Error when the output is not in this form
 */
export async function* parseLog(output: AsyncIterable<Buffer>): AsyncGenerator<ParsedChange> {
  let commit: Commit | undefined
  let status: string | undefined
  for await (const token of tokens(output)) {
    if (commit !== undefined && status !== undefined) {
      yield { ...pathText(token), ...commit, status }
      status = undefined
      continue
    }
    // A newline stands between a header and its first change.
    const bytes = token[0] === NEWLINE ? token.subarray(1) : token
    const text = bytes.toString('latin1')
    if (commit !== undefined && STATUS.test(text)) {
      status = text.slice(0, 1)
      continue
    }
    commit = commitOf(bytes, text)
  }
  if (status !== undefined) throw new Error('git log ended between a status and its path')
}

function commitOf(bytes: Buffer, text: string): Commit {
  const header = HEADER.exec(text)
  if (header === null) throw new Error(`git log wrote neither a commit nor a status: ${JSON.stringify(text)}`)
  return {
    commit: header[1] as string,
    authoredAt: timeText(Number(header[2])),
    author: authorText(bytes.subarray(header[0].length)),
  }
}

/** Old tools have written commits without a time, or with one beyond the year 9999: those get the beginning of 1970. */
function timeText(seconds: number): string {
  const isTime = seconds >= FIRST_SECOND && seconds <= LAST_SECOND
  return new Date(isTime ? seconds * 1_000 : 0).toISOString()
}

/** The stretches between NUL bytes; a last one without NUL is one too, unless it is empty. */
async function* tokens(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NUL); end !== -1; end = bytes.indexOf(NUL, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest
}
