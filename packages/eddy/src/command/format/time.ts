import { UsageError } from '../command-errors.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `500ms`, `15m`, `2h`, `1.5d`, `7d` in milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text)
  if (match === null) return undefined
  return Math.round(Number(match[1]) * (UNIT_MS[match[2] as string] as number))
}

/**
 * An ISO 8601 time, epoch milliseconds (at most 14 digits), `now`, or a duration before now.
 * @throws UsageError naming the option
 */
export function parseTimeMs(text: string, option: string, nowMs: number): number {
  const timeMs = timeOf(text, nowMs)
  if (timeMs === undefined) {
    throw new UsageError(
      `${option}: expected a time such as 15m, 2h, 3d, 2026-01-31T12:00:00Z or epoch milliseconds, received ${JSON.stringify(text)}`,
    )
  }
  return timeMs
}

export function timeOf(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs
  const durationMs = parseDurationMs(text)
  if (durationMs !== undefined) return nowMs - durationMs
  if (/^\d{1,14}$/.test(text)) return Number(text)
  if (!/^\d{4}-\d{2}(-\d{2})?/.test(text)) return undefined
  const parsedMs = Date.parse(text)
  return Number.isNaN(parsedMs) ? undefined : parsedMs
}

/** @throws UsageError naming the option */
export function requireDurationMs(text: string, option: string): number {
  const durationMs = parseDurationMs(text)
  if (durationMs === undefined) {
    throw new UsageError(
      `${option}: expected a duration such as 500ms, 30s, 15m, 2h or 7d, received ${JSON.stringify(text)}`,
    )
  }
  return durationMs
}

/** A span in its two largest units: `840 ms`, `12.4 s`, `3 min 5 s`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`
  const parts: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ]
  const start = parts.findIndex(([unitMs]) => ms >= unitMs)
  let restMs = ms
  const texts: string[] = []
  for (const [unitMs, name] of parts.slice(start, start + 2)) {
    const units = Math.floor(restMs / unitMs)
    restMs -= units * unitMs
    if (units > 0) texts.push(`${units} ${name}`)
  }
  return texts.join(' ')
}

/** `3 min 5 s ago`, `in 12 s`. */
export function relativeTime(timeMs: number, nowMs: number): string {
  const distanceMs = nowMs - timeMs
  if (Math.abs(distanceMs) < 1_000) return 'now'
  return distanceMs > 0 ? `${duration(distanceMs)} ago` : `in ${duration(-distanceMs)}`
}

/** For details: the exact time and how far away it is. */
export function timeText(timeMs: number, nowMs: number): string {
  return `${new Date(timeMs).toISOString()} (${relativeTime(timeMs, nowMs)})`
}
