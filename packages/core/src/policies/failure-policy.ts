import { InvalidOptionError } from '../errors/request-errors.ts'
import type {
  Blocks,
  Classify,
  Exhausted,
  FailureOptions,
  FailurePolicy,
  FailureRule,
} from '../model/failure.ts'
import { checkFunction, checkInteger, checkObject, checkOneOf, checkText } from '../model/option-checks.ts'
import { MAX_DELAY_MS } from './backoff.ts'
import { checkRetryPolicy, exponential } from './retry.ts'

const MAX_RULES = 100
const MAX_IMMEDIATE = 100
const MAX_CRASHES = 100

const OPTIONS = ['blocks', 'immediate', 'retry', 'rules', 'classify', 'exhausted', 'maxAgeMs', 'maxCrashes']

/** What may become of an exhausted event: the tail of a key, or a held key, exists only where the key waits. */
const EXHAUSTED: Readonly<Record<Blocks, readonly Exhausted[]>> = {
  nothing: ['dead-letter', 'drop'],
  key: ['dead-letter', 'dead-letter-key', 'hold', 'drop'],
  shard: ['dead-letter', 'hold', 'drop'],
}

/**
 * Fills in what the author left out: blocks `nothing`, immediate 0, retry `exponential()`, no rules, exhausted
 * `dead-letter`, maxCrashes 3.
 *
 * @param path - how the author would write where these options stand, for error messages
 * @throws InvalidOptionError on a wrong type, an unknown name, a value out of its limits, or `blocks: 'key'` without a
 * stated `exhausted`
 */
export function failurePolicy(options: FailureOptions = {}, path = 'failure'): FailurePolicy {
  const from = checkObject(path, options, OPTIONS)
  const blocks =
    from.blocks === undefined
      ? 'nothing'
      : checkOneOf(`${path}.blocks`, from.blocks, ['nothing', 'key', 'shard'])
  return Object.freeze({
    blocks,
    immediate: optional(from.immediate, 0, (value) =>
      checkInteger(`${path}.immediate`, value, 0, MAX_IMMEDIATE),
    ),
    retry: from.retry === undefined ? exponential() : checkRetryPolicy(`${path}.retry`, from.retry),
    rules: optional(from.rules, Object.freeze([]), (value) => checkRules(`${path}.rules`, value)),
    classify: optional(from.classify, undefined, (value) =>
      checkFunction(`${path}.classify`, value as Classify),
    ),
    exhausted: checkExhausted(`${path}.exhausted`, blocks, from.exhausted),
    maxAgeMs: optional(from.maxAgeMs, undefined, (value) =>
      checkInteger(`${path}.maxAgeMs`, value, 1, MAX_DELAY_MS),
    ),
    maxCrashes: optional(from.maxCrashes, 3, (value) =>
      checkInteger(`${path}.maxCrashes`, value, 1, MAX_CRASHES),
    ),
  })
}

function optional<T>(value: unknown, fallback: T, check: (value: unknown) => T): T {
  return value === undefined ? fallback : check(value)
}

function checkExhausted(path: string, blocks: Blocks, value: unknown): Exhausted {
  if (value !== undefined) return checkOneOf(path, value, EXHAUSTED[blocks])
  if (blocks !== 'key') return 'dead-letter'
  throw new InvalidOptionError(
    path,
    `a choice, since with blocks 'key' dead-lettering one event leaves a gap in its key: one of ${EXHAUSTED.key
      .map((choice) => `'${choice}'`)
      .join(', ')}`,
    value,
  )
}

function checkRules(path: string, value: unknown): readonly FailureRule[] {
  if (!Array.isArray(value) || value.length > MAX_RULES) {
    throw new InvalidOptionError(path, `a list of at most ${MAX_RULES} rules`, value)
  }
  return Object.freeze(value.map((rule, index) => checkRule(`${path}[${index}]`, rule)))
}

function checkRule(path: string, value: unknown): FailureRule {
  const from = checkObject(path, value, ['error', 'message', 'retry', 'then'], 'a rule')
  const match = {
    ...(from.error === undefined ? {} : { error: checkText(`${path}.error`, from.error, 256) }),
    ...(from.message === undefined ? {} : { message: checkText(`${path}.message`, from.message, 1_024) }),
  }
  if (match.error === undefined && match.message === undefined) {
    throw new InvalidOptionError(path, 'an error or a message to match', value)
  }
  if ((from.retry === undefined) === (from.then === undefined)) {
    throw new InvalidOptionError(path, `either retry, or then: 'dead-letter' | 'drop'`, value)
  }
  if (from.retry !== undefined) {
    return Object.freeze({ ...match, retry: checkRetryPolicy(`${path}.retry`, from.retry) })
  }
  const verdict = checkOneOf(`${path}.then`, from.then, ['dead-letter', 'drop'])
  // biome-ignore lint/suspicious/noThenProperty: a word, never a function, so nothing awaits it
  return Object.freeze({ ...match, then: verdict })
}
