import { RemoteError } from './remote-error.ts'

/** One line of an answer may be this long: a payload of 10 MiB in base64, with room. */
const MAX_LINE_CHARACTERS = 64 * 1024 * 1024

/** Parses newline-delimited JSON while it arrives; holds one line at a time. */
export async function* readNdjson<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true })
    rest += text
    if (!text.includes('\n') && rest.length <= MAX_LINE_CHARACTERS) continue
    const lines = rest.split('\n')
    rest = lines.pop() as string
    if (rest.length > MAX_LINE_CHARACTERS) throw brokenAnswer('a line that is too long')
    for (const line of lines) if (line !== '') yield parse<T>(line)
  }
  rest += decoder.decode()
  if (rest !== '') yield parse<T>(rest)
}

function parse<T>(line: string): T {
  try {
    return JSON.parse(line) as T
  } catch {
    throw brokenAnswer(`a line that is not JSON: "${line.slice(0, 80)}"`)
  }
}

function brokenAnswer(problem: string): RemoteError {
  return new RemoteError(`the server's answer has ${problem}. It may have ended early: ask again.`, {
    code: 'EDDY_REMOTE',
    retryable: true,
    status: 200,
  })
}
