import { isEddyError } from '@eddy/core'
import { printable } from './printable.ts'

/** One line for people: what is wrong, what was expected, what came, the next step. */
export function errorLine(error: unknown): string {
  const message = messageOf(error)
  return `eddy: ${printable(message.replace(/\s*\n\s*/g, ' ').trim())}`
}

/** With the next step where only the command knows it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!isEddyError(error) || error.code !== 'EDDY_UNAUTHORIZED') return error.message
  // The server speaks of the header, which the command sends itself.
  const problem = error.message.replace(/ Send the token as: .*$/, '').replace(/\.$/, '')
  return `${problem}. Give the token of the server with --token or EDDY_TOKEN.`
}

/** The same for programs, in the words of a problem document. */
export function errorJson(error: unknown): string {
  if (!isEddyError(error)) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    return JSON.stringify({
      code: 'EDDY_INTERNAL',
      title: name,
      detail: message,
      retryable: false,
      details: {},
    })
  }
  const { status } = error as { status?: number }
  return JSON.stringify({
    code: error.code,
    title: error.name,
    ...(status === undefined ? {} : { status }),
    detail: messageOf(error),
    retryable: error.retryable,
    details: error.details,
  })
}
