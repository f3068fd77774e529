import { InvalidOptionError } from '@eddy/core'

/** Milliseconds, or a number with its unit: `'250ms'`, `'30s'`, `'5m'`, `'1.5h'`, `'2d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * A duration as milliseconds, at least 0.
 * @throws InvalidOptionError whose option is `name`
 */
export function durationMs(name: string, duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parse(duration)
  if (ms >= 0) return ms
  throw new InvalidOptionError(name, `milliseconds, or a text such as '30s', '250ms' or '1h'`, duration)
}

function parse(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null
  return match === null ? Number.NaN : Number(match[1]) * (UNIT_MS[match[2] as string] as number)
}
