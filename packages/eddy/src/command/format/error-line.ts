import { isEddyError } from '@eddy/core'
import { printable } from './printable.ts'

/** One line for people: what is wrong, what was expected, what came, the next step. */
export function errorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `eddy: ${printable(message.replace(/\s*\n\s*/g, ' ').trim())}`
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
    detail: error.message,
    retryable: error.retryable,
    details: error.details,
  })
}
