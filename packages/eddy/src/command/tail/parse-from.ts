import type { FromText } from '../../client/http-client.ts'
import { UsageError } from '../command-errors.ts'
import { timeOf } from '../format/time.ts'

export interface ParsedFrom {
  readonly from: FromText
  /** A sequence number means one shard only. */
  readonly isSequence: boolean
}

/**
 * `trim_horizon`, `latest`, a time (`15m`, ISO 8601, epoch milliseconds), or a sequence number: 15 or more digits, or
 * written `at:N` or `after:N`.
 *
 * @throws UsageError
 */
export function parseFrom(text: string, nowMs: number, option = '--from'): ParsedFrom {
  if (text === 'trim_horizon' || text === 'latest') return { from: text, isSequence: false }
  if (/^(at|after):\d+(:\d+)?$/.test(text)) return { from: text, isSequence: true }
  if (/^\d{15,}$/.test(text)) return { from: `at:${text}`, isSequence: true }
  const timeMs = timeOf(text, nowMs)
  if (timeMs === undefined) {
    throw new UsageError(
      `${option}: expected trim_horizon, latest, a time (15m, 2026-01-31T12:00:00Z) or a sequence number, received ${JSON.stringify(text)}`,
    )
  }
  return { from: String(timeMs), isSequence: false }
}
