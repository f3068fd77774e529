import { StepLimitError } from '../errors/handler-errors.ts'
import { keys } from '../fail/keys.ts'
import type { Engine } from '../ports/engine.ts'

const MAX_STEPS = 100
const MAX_RESULT_CHARACTERS = 256 * 1024

interface StoredStep {
  readonly [name: string]: string
  /** JSON, wrapped so that `undefined` survives. */
  readonly result: string
}

/**
 * Results of finished steps, under (subscription, event, name): a later attempt gets them instead of a second call.
 * A crash between the call and the store repeats the call; nothing short of the step's own idempotency can prevent that.
 */
export class Steps {
  readonly #engine: Pick<Engine, 'table' | 'clock' | 'md5Hex'>
  readonly #subscription: string
  readonly #retentionMs: number

  constructor(engine: Pick<Engine, 'table' | 'clock' | 'md5Hex'>, subscription: string, retentionMs: number) {
    this.#engine = engine
    this.#subscription = subscription
    this.#retentionMs = retentionMs
  }

  /** The steps of one event, for one attempt. */
  of(eventIdentity: string): <T>(name: string, fn: () => Promise<T> | T) => Promise<T> {
    const partition = keys.steps(this.#subscription, this.#engine.md5Hex(eventIdentity))
    const seen = new Set<string>()
    return async <T>(name: string, fn: () => Promise<T> | T): Promise<T> => {
      checkName(name, seen)
      const stored = await this.#engine.table.get<StoredStep>({ partition, sort: name })
      if (stored !== undefined) return parse<T>(stored.value)
      const value = await fn()
      const result = JSON.stringify({ value })
      if (result.length > MAX_RESULT_CHARACTERS) {
        throw new StepLimitError(
          `the result of "${name}" is ${result.length} characters of JSON; the limit is ${MAX_RESULT_CHARACTERS}. Keep a reference instead.`,
        )
      }
      const expiresAtMs = this.#engine.clock.now() + this.#retentionMs
      const written = await this.#engine.table.put<StoredStep>(
        { partition, sort: name, value: { result }, expiresAtMs },
        'absent',
      )
      // Another attempt finished the step first: its result is the one that every later attempt will see.
      return written.ok || written.current === undefined ? value : parse<T>(written.current.value)
    }
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (typeof name !== 'string' || name === '' || name.length > 256) {
    throw new StepLimitError(
      `a step's name must be a string of 1 to 256 characters, received ${JSON.stringify(name)}`,
    )
  }
  if (seen.has(name))
    throw new StepLimitError(
      `the name "${name}" was used twice for one event. Give each step a name of its own.`,
    )
  if (seen.size >= MAX_STEPS) throw new StepLimitError(`more than ${MAX_STEPS} steps for one event`)
  seen.add(name)
}

function parse<T>(stored: StoredStep): T {
  return (JSON.parse(stored.result) as { value: T }).value
}
