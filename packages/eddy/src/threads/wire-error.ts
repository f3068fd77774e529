import { type Outcome, outcome, SchemaMismatchError, thrownOutcomeOf } from '@eddy/core'

/** Own fields of an error that are carried over: numbers, text and booleans, at most this many. */
const MAX_FIELDS = 32
const MAX_CAUSES = 5

/** What crosses threads of a thrown value. The structured clone of an error keeps neither its name nor its fields. */
export type WireError =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'schema'; readonly message: string }
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      readonly fields: Readonly<Record<string, string | number | boolean>>
      readonly cause: WireError | undefined
    }
  /** Something else was thrown: as text, if it cannot be carried over. */
  | { readonly kind: 'value'; readonly value: unknown }

export function toWire(thrown: unknown, depth = 0): WireError {
  try {
    const decided = thrownOutcomeOf(thrown)
    if (decided !== undefined) return { kind: 'outcome', outcome: decided }
    if (thrown instanceof SchemaMismatchError) return { kind: 'schema', message: thrown.message }
    if (thrown instanceof Error) return errorToWire(thrown, depth)
    return { kind: 'value', value: isPlain(thrown) ? thrown : structuredClone(thrown) }
  } catch {
    return { kind: 'value', value: 'a thrown value that cannot be carried from its thread' }
  }
}

/** An error as it was thrown, except for its class: `name`, `code`, `cause` and the plain fields are there. */
export function fromWire(wire: WireError): unknown {
  switch (wire.kind) {
    case 'outcome':
      return outcomeFrom(wire.outcome)
    case 'schema':
      return new SchemaMismatchError(wire.message.replace(/^the event does not match the schema: /, ''))
    case 'value':
      return wire.value
    case 'error': {
      const cause = wire.cause === undefined ? {} : { cause: fromWire(wire.cause) }
      const error = Object.assign(new Error(wire.message, cause), wire.fields)
      Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true })
      if (wire.stack !== undefined)
        Object.defineProperty(error, 'stack', { value: wire.stack, configurable: true, writable: true })
      return error
    }
  }
}

function errorToWire(error: Error, depth: number): WireError {
  const fields: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(error).slice(0, MAX_FIELDS)) {
    if (isPlain(value)) fields[name] = value
  }
  const isNamed = error.name !== '' && error.name !== 'Error'
  return {
    kind: 'error',
    name: isNamed ? error.name : error.constructor.name || 'Error',
    message: error.message,
    stack: error.stack,
    fields,
    cause: error.cause === undefined || depth >= MAX_CAUSES ? undefined : toWire(error.cause, depth + 1),
  }
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function outcomeFrom(decided: Outcome): Error {
  switch (decided.kind) {
    case 'retry-after':
      return outcome.retryAfterMs(decided.delayMs)
    case 'dead-letter':
      return outcome.deadLetter(decided.reason)
    case 'drop':
      return outcome.drop(decided.reason)
  }
}
