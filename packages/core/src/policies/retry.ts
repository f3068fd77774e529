import { InvalidOptionError } from '../errors/request-errors.ts'
import type { Jitter, RetryPolicy } from '../model/failure.ts'
import { checkInteger, checkNumber, checkObject, checkOneOf } from '../model/option-checks.ts'
import { MAX_DELAY_MS } from './backoff.ts'

const MAX_ATTEMPTS = 1_000_000_000
const MAX_LIST_ENTRIES = 1_000
const DEFAULT_MAX_MS = 300_000
/** `decorrelated` grows from the delay before, so it has a meaning for exponential backoff alone. */
const SIMPLE_JITTERS = ['full', 'equal', 'none'] as const
const ALL_JITTERS = ['full', 'equal', 'decorrelated', 'none'] as const

/** Policies are plain frozen data, so they can be stored, sent and changed while the system runs. */
export type RetryOf<Kind extends RetryPolicy['kind']> = Extract<RetryPolicy, { readonly kind: Kind }>

export interface ExponentialOptions {
  /** Handler calls in all, the live one included: 1 to 1,000,000,000; default 8. */
  readonly maxAttempts?: number
  /** Delay after the first delivery: 0 to 365 days; default 200. */
  readonly initialMs?: number
  /** Growth from delay to delay: 1 to 1,000; default 2. */
  readonly factor?: number
  /** No delay is longer: `initialMs` to 365 days; default 300,000, or `initialMs` if that is more. */
  readonly maxMs?: number
  /** Default `full`. */
  readonly jitter?: Jitter
}

/**
 * Delays that grow by a factor.
 * @throws InvalidOptionError
 */
export function exponential(options: ExponentialOptions = {}): RetryOf<'exponential'> {
  const { initialMs = 200 } = checkObject('exponential()', options, [
    'maxAttempts',
    'initialMs',
    'factor',
    'maxMs',
    'jitter',
  ]) as ExponentialOptions
  return checkRetryPolicy('exponential()', {
    kind: 'exponential',
    maxAttempts: options.maxAttempts ?? 8,
    initialMs,
    factor: options.factor ?? 2,
    maxMs: options.maxMs ?? Math.max(DEFAULT_MAX_MS, initialMs),
    jitter: options.jitter ?? 'full',
  }) as RetryOf<'exponential'>
}

export interface LinearOptions {
  /** Handler calls in all, the live one included: 1 to 1,000,000,000; default 8. */
  readonly maxAttempts?: number
  /** Delay after the first delivery: 0 to 365 days; default 1,000. */
  readonly initialMs?: number
  /** Added from delay to delay: 0 to 365 days; default `initialMs`. */
  readonly stepMs?: number
  /** No delay is longer: `initialMs` to 365 days; default 300,000, or `initialMs` if that is more. */
  readonly maxMs?: number
  /** Default `full`. */
  readonly jitter?: Exclude<Jitter, 'decorrelated'>
}

/**
 * Delays that grow by the same amount.
 * @throws InvalidOptionError
 */
export function linear(options: LinearOptions = {}): RetryOf<'linear'> {
  const { initialMs = 1_000 } = checkObject('linear()', options, [
    'maxAttempts',
    'initialMs',
    'stepMs',
    'maxMs',
    'jitter',
  ]) as LinearOptions
  return checkRetryPolicy('linear()', {
    kind: 'linear',
    maxAttempts: options.maxAttempts ?? 8,
    initialMs,
    stepMs: options.stepMs ?? initialMs,
    maxMs: options.maxMs ?? Math.max(DEFAULT_MAX_MS, initialMs),
    jitter: options.jitter ?? 'full',
  }) as RetryOf<'linear'>
}

export interface FixedOptions {
  /** 0 to 365 days; default 1,000. */
  readonly delayMs?: number
  /** Handler calls in all, the live one included: 1 to 1,000,000,000; default 8. */
  readonly maxAttempts?: number
  /** Default `none`: a delay that is written out is meant. */
  readonly jitter?: Exclude<Jitter, 'decorrelated'>
}

/**
 * The same delay each time.
 * @throws InvalidOptionError
 */
export function fixed(options: FixedOptions = {}): RetryOf<'fixed'> {
  checkObject('fixed()', options, ['delayMs', 'maxAttempts', 'jitter'])
  return checkRetryPolicy('fixed()', {
    kind: 'fixed',
    maxAttempts: options.maxAttempts ?? 8,
    delayMs: options.delayMs ?? 1_000,
    jitter: options.jitter ?? 'none',
  }) as RetryOf<'fixed'>
}

export interface ListOptions {
  /**
   * Handler calls in all, the live one included: 1 to 1,000,000,000; default one more than there are delays. With
   * `immediate` tries, count those too.
   */
  readonly maxAttempts?: number
  /** Default `none`: delays that are written out are meant. */
  readonly jitter?: Exclude<Jitter, 'decorrelated'>
}

/**
 * Delays one by one: the first after the first delivery, at most 1,000. The retries end with the list, or at a
 * negative entry.
 * @throws InvalidOptionError
 */
export function list(delaysMs: readonly number[], options: ListOptions = {}): RetryOf<'list'> {
  checkObject('list()', options, ['maxAttempts', 'jitter'])
  return checkRetryPolicy('list()', {
    kind: 'list',
    maxAttempts: options.maxAttempts ?? (Array.isArray(delaysMs) ? delaysMs.length + 1 : 1),
    delaysMs,
    jitter: options.jitter ?? 'none',
  }) as RetryOf<'list'>
}

/**
 * A complete policy as frozen data, from a builder or from stored JSON.
 * @throws InvalidOptionError whose option begins with `path`
 */
export function checkRetryPolicy(path: string, value: unknown): RetryPolicy {
  const expected = 'a policy of exponential(), linear(), fixed() or list()'
  if (typeof value !== 'object' || value === null) throw new InvalidOptionError(path, expected, value)
  const { kind } = value as { kind?: unknown }
  switch (kind) {
    case 'exponential': {
      const from = checkObject(path, value, ['kind', 'maxAttempts', 'initialMs', 'factor', 'maxMs', 'jitter'])
      const initialMs = delay(`${path}.initialMs`, from.initialMs)
      return Object.freeze({
        kind,
        maxAttempts: attempts(path, from),
        initialMs,
        factor: checkNumber(`${path}.factor`, from.factor, 1, 1_000),
        maxMs: checkInteger(`${path}.maxMs`, from.maxMs, initialMs, MAX_DELAY_MS),
        jitter: checkOneOf(`${path}.jitter`, from.jitter, ALL_JITTERS),
      })
    }
    case 'linear': {
      const from = checkObject(path, value, ['kind', 'maxAttempts', 'initialMs', 'stepMs', 'maxMs', 'jitter'])
      const initialMs = delay(`${path}.initialMs`, from.initialMs)
      return Object.freeze({
        kind,
        maxAttempts: attempts(path, from),
        initialMs,
        stepMs: delay(`${path}.stepMs`, from.stepMs),
        maxMs: checkInteger(`${path}.maxMs`, from.maxMs, initialMs, MAX_DELAY_MS),
        jitter: simpleJitter(path, from),
      })
    }
    case 'fixed': {
      const from = checkObject(path, value, ['kind', 'maxAttempts', 'delayMs', 'jitter'])
      return Object.freeze({
        kind,
        maxAttempts: attempts(path, from),
        delayMs: delay(`${path}.delayMs`, from.delayMs),
        jitter: simpleJitter(path, from),
      })
    }
    case 'list': {
      const from = checkObject(path, value, ['kind', 'maxAttempts', 'delaysMs', 'jitter'])
      return Object.freeze({
        kind,
        maxAttempts: attempts(path, from),
        delaysMs: delays(`${path}.delaysMs`, from.delaysMs),
        jitter: simpleJitter(path, from),
      })
    }
    default:
      throw new InvalidOptionError(path, expected, value)
  }
}

function attempts(path: string, from: Readonly<Record<string, unknown>>): number {
  return checkInteger(`${path}.maxAttempts`, from.maxAttempts, 1, MAX_ATTEMPTS)
}

function simpleJitter(path: string, from: Readonly<Record<string, unknown>>): Jitter {
  return checkOneOf(`${path}.jitter`, from.jitter, SIMPLE_JITTERS)
}

function delay(path: string, value: unknown): number {
  return checkInteger(path, value, 0, MAX_DELAY_MS)
}

function delays(path: string, value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length > MAX_LIST_ENTRIES) {
    throw new InvalidOptionError(path, `a list of at most ${MAX_LIST_ENTRIES} delays`, value)
  }
  return Object.freeze(
    value.map((entry, index) => checkInteger(`${path}[${index}]`, entry, -MAX_DELAY_MS, MAX_DELAY_MS)),
  )
}
