import type { ErrorInfo } from '../model/ledger-item.ts'
import { fingerprint } from './fingerprint.ts'

const MAX_MESSAGE_CHARACTERS = 4_096
const MAX_STACK_CHARACTERS = 8_192
const MAX_NAME_CHARACTERS = 256
const MAX_CODE_CHARACTERS = 128
const MAX_CAUSES = 5

/**
 * What the ledger keeps of a thrown value, whatever it is. Never throws: a value that cannot be read says so.
 *
 * The type is the error's name, or its class where the class left the name alone. Causes (and the first error of an
 * AggregateError) are appended to message and stack within their limits; the code is the first one along the causes.
 */
export function errorInfo(thrown: unknown): ErrorInfo {
  const chain = causeChain(thrown)
  const first = chain[0] as Seen
  const code = chain.find((seen) => seen.code !== undefined)?.code
  const causes = chain.slice(1).map((seen) => ` (caused by ${seen.type}: ${seen.message})`)
  const stacks = chain.filter((seen) => seen.stack !== undefined)
  const stack = stacks.map((seen, index) => `${index === 0 ? '' : '\ncaused by: '}${seen.stack}`).join('')
  return {
    type: first.type,
    message: limit(first.message + causes.join(''), MAX_MESSAGE_CHARACTERS),
    ...(stack === '' ? {} : { stack: limit(stack, MAX_STACK_CHARACTERS) }),
    ...(code === undefined ? {} : { code }),
    fingerprint: fingerprint(first.type, first.message, first.stack, causes.join('')),
  }
}

interface Seen {
  readonly type: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly cause: unknown
}

function causeChain(thrown: unknown): readonly Seen[] {
  const chain: Seen[] = []
  const visited = new Set<unknown>()
  let value = thrown
  while (chain.length <= MAX_CAUSES && !visited.has(value)) {
    visited.add(value)
    const seen = look(value)
    chain.push(seen)
    if (seen.cause === undefined || seen.cause === null) break
    value = seen.cause
  }
  return chain
}

function look(value: unknown): Seen {
  try {
    return isErrorLike(value) ? lookAtError(value) : lookAtOther(value)
  } catch {
    return other('a thrown value that cannot be read')
  }
}

function lookAtError(error: object): Seen {
  const cause = read(error, 'cause')
  const errors = read(error, 'errors')
  return {
    type: typeOf(error),
    message: text(read(error, 'message')) ?? '',
    stack: text(read(error, 'stack')),
    code: codeOf(error),
    cause: cause ?? (Array.isArray(errors) ? errors[0] : undefined),
  }
}

function lookAtOther(value: unknown): Seen {
  if (typeof value === 'string') return other(value)
  if (typeof value !== 'object' || value === null) return other(String(value))
  const message = text(read(value, 'message'))
  return { ...other(message ?? JSON.stringify(value) ?? 'an object'), code: codeOf(value) }
}

function other(message: string): Seen {
  return { type: 'NonError', message, stack: undefined, code: undefined, cause: undefined }
}

/** Errors of another realm (a vm context, a worker) are no instances of this one's Error. */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof Error || Object.prototype.toString.call(value) === '[object Error]') return true
  return typeof read(value, 'message') === 'string' && typeof read(value, 'stack') === 'string'
}

function typeOf(error: object): string {
  const name = text(read(error, 'name'))
  if (name !== undefined && name !== '' && name !== 'Error') return limit(name, MAX_NAME_CHARACTERS)
  const constructed = read(error, 'constructor')
  const className = typeof constructed === 'function' ? text(constructed.name) : undefined
  return limit(className || 'Error', MAX_NAME_CHARACTERS)
}

function codeOf(error: object): string | undefined {
  const code = read(error, 'code')
  if (typeof code === 'string' && code !== '') return limit(code, MAX_CODE_CHARACTERS)
  return typeof code === 'number' ? String(code) : undefined
}

/** A property whose getter (or proxy trap) may throw. */
function read(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function limit(value: string, maxCharacters: number): string {
  if (value.length <= maxCharacters) return value
  const note = ` … [${value.length} characters]`
  return value.slice(0, maxCharacters - note.length) + note
}
