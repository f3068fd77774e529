import { InvalidOptionError } from '../errors/request-errors.ts'
import { checkInteger, checkNumber, checkObject } from '../model/option-checks.ts'
import type { BreakerPolicy, ProtectOptions, ProtectPolicy, RetryBudgetPolicy } from '../model/protect.ts'

const MIN_RATE = 0.001
const MAX_RATE = 1_000_000
const MAX_WINDOW = 10_000
const HOUR_MS = 3_600_000

const OPTIONS = ['ratePerSecond', 'retryRatePerSecond', 'retryBudget', 'breaker']
const BUDGET_OPTIONS = ['share', 'minPerSecond', 'expireMs']
const BREAKER_OPTIONS = [
  'window',
  'minimum',
  'ratio',
  'pauseMs',
  'maxPauseMs',
  'probes',
  'probeConcurrency',
  'rampMs',
]

/**
 * Fills in what the author left out; what is not named does not limit. `retryBudget: {}` and `breaker: {}` take all
 * their defaults.
 *
 * @param path - how the author would write where these options stand, for error messages
 * @throws InvalidOptionError on a wrong type, an unknown name, or a value out of its limits
 */
export function protectPolicy(options: ProtectOptions = {}, path = 'protect'): ProtectPolicy {
  const from = checkObject(path, options, OPTIONS)
  return Object.freeze({
    ratePerSecond: rate(`${path}.ratePerSecond`, from.ratePerSecond),
    retryRatePerSecond: rate(`${path}.retryRatePerSecond`, from.retryRatePerSecond),
    retryBudget:
      from.retryBudget === undefined ? undefined : checkBudget(`${path}.retryBudget`, from.retryBudget),
    breaker: from.breaker === undefined ? undefined : checkBreaker(`${path}.breaker`, from.breaker),
  })
}

function rate(path: string, value: unknown): number | undefined {
  return value === undefined ? undefined : checkNumber(path, value, MIN_RATE, MAX_RATE)
}

function checkBudget(path: string, value: unknown): RetryBudgetPolicy {
  const { share = 0.2, minPerSecond = 10, expireMs = 10_000 } = checkObject(path, value, BUDGET_OPTIONS)
  return Object.freeze({
    share: checkNumber(`${path}.share`, share, 0, 10),
    minPerSecond: checkNumber(`${path}.minPerSecond`, minPerSecond, MIN_RATE, MAX_RATE),
    expireMs: checkInteger(`${path}.expireMs`, expireMs, 1_000, 600_000),
  })
}

function checkBreaker(path: string, value: unknown): BreakerPolicy {
  const from = checkObject(path, value, BREAKER_OPTIONS)
  const window = checkInteger(`${path}.window`, from.window ?? 100, 1, MAX_WINDOW)
  const pauseMs = checkInteger(`${path}.pauseMs`, from.pauseMs ?? 1_000, 100, HOUR_MS)
  const maxPauseMs = from.maxPauseMs ?? Math.max(60_000, pauseMs)
  return Object.freeze({
    window,
    minimum: checkInteger(`${path}.minimum`, from.minimum ?? Math.min(20, window), 1, window),
    ratio: checkRatio(`${path}.ratio`, from.ratio ?? 0.5),
    pauseMs,
    maxPauseMs: checkInteger(`${path}.maxPauseMs`, maxPauseMs, pauseMs, 24 * HOUR_MS),
    probes: checkInteger(`${path}.probes`, from.probes ?? window, 1, MAX_WINDOW),
    probeConcurrency: checkInteger(`${path}.probeConcurrency`, from.probeConcurrency ?? 1, 1, 10_000),
    rampMs: checkInteger(`${path}.rampMs`, from.rampMs ?? 30_000, 0, HOUR_MS),
  })
}

/** Not 0: a breaker that opens on no failure would never close. */
function checkRatio(path: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw new InvalidOptionError(path, 'a share of failed outcomes, above 0 and at most 1', value)
}
