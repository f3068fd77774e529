import { InvalidRequestError } from '@eddy/core'

const utf8 = new TextDecoder('utf-8', { fatal: true })

export type JsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string }

/** JSON from bytes. The problem never quotes the text, since it may hold what must not be logged. */
export function tryParseJson(bytes: Uint8Array): JsonResult {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return { ok: false, problem: 'is not UTF-8' }
  }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, problem: `is not JSON${where(error)}` }
  }
}

/** @throws InvalidRequestError (EDDY_INVALID_REQUEST) for invalid UTF-8 and for what is not JSON */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const result = tryParseJson(bytes)
  if (!result.ok) throw new InvalidRequestError(`${what} ${result.problem}`)
  return result.value
}

function where(error: unknown): string {
  const match = error instanceof Error ? /at position (\d+)/.exec(error.message) : null
  return match === null ? '' : ` (character ${Number(match[1]) + 1})`
}
