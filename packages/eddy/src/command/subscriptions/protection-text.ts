import type { ProtectionStatus, SubscriptionStatus } from '@eddy/core'
import type { Paint } from '../format/paint.ts'
import { printable } from '../format/printable.ts'
import { count, plural } from '../format/quantity.ts'
import { duration, timeText } from '../format/time.ts'

/** The state of a subscription in a word or two: what most keeps it from running comes first. */
export function stateWord({ paused, protection }: Pick<SubscriptionStatus, 'paused' | 'protection'>): string {
  if (paused) return 'paused'
  switch (protection?.state) {
    case 'open':
      return 'breaker open'
    case 'probing':
      return 'probing'
    case 'ramping':
      return 'ramping up'
    default:
      return 'running'
  }
}

/** Why nothing, or little, flows, and what happens next. */
export function protectionLines(
  { name, protection, concurrency }: SubscriptionStatus,
  nowMs: number,
  paint: Paint,
): readonly string[] {
  if (protection === undefined) return []
  return [
    ...breakerLines(name, protection, concurrency, nowMs, paint),
    ...limitLine(protection),
    ...waitingLines(protection),
  ]
}

function breakerLines(
  name: string,
  protection: ProtectionStatus,
  concurrency: number,
  nowMs: number,
  paint: Paint,
): readonly string[] {
  const {
    state,
    openSinceMs,
    probesAtMs,
    rampEndsAtMs,
    reason,
    pauseMs = 0,
    outcomes,
    failed = 0,
  } = protection
  const since = openSinceMs === undefined ? '' : ` since ${timeText(openSinceMs, nowMs)}`
  const why = `  why: ${printable(reason ?? 'unknown')}`
  const byHand = `  does the downstream work again? Go on at once: eddy subscriptions resume ${printable(name)} --reset-breaker`
  const seen = `${count(failed)} of ${plural(outcomes ?? 0, 'outcome')} failed`
  switch (state) {
    case 'closed':
      return outcomes === undefined ? [] : [`breaker closed: ${seen}`]
    case 'open':
      return [
        paint.red(`breaker open${since}; probes at ${timeText(probesAtMs ?? nowMs, nowMs)}`),
        why,
        '  until then nothing is started and no attempt is used up; events wait in the stream, retries in their queue',
        byHand,
      ]
    case 'probing':
      return [
        paint.yellow(`breaker probes; it has been open${since}; of the probes so far ${seen}`),
        why,
        `  ${plural(protection.concurrency, 'handler')} at a time; probes that fail make it pause for longer than ${duration(pauseMs)}, and if they go well it ramps up`,
        byHand,
      ]
    case 'ramping':
      return [
        paint.yellow(
          `breaker closed again; full rate at ${timeText(rampEndsAtMs ?? nowMs, nowMs)}; ${seen} since`,
        ),
        `  it had opened: ${printable(reason ?? 'unknown')}`,
        `  ${count(protection.concurrency)} of ${plural(concurrency, 'handler')} at a time for now`,
      ]
  }
}

function limitLine({ ratePerSecond, retryRatePerSecond, retryCredits }: ProtectionStatus): readonly string[] {
  const parts = [
    ratePerSecond === undefined ? [] : [`${rate(ratePerSecond)} handler calls/s`],
    retryRatePerSecond === undefined ? [] : [`${rate(retryRatePerSecond)} retries/s`],
    retryCredits === undefined
      ? []
      : [`retries within their budget (${rate(retryCredits)} paid for by first attempts)`],
  ].flat()
  return parts.length === 0 ? [] : [`at most ${parts.join(', ')}`]
}

const LIMITS = {
  breaker: 'the breaker',
  rate: 'the rate',
  'retry-rate': 'the retry rate',
  'retry-budget': 'the retry budget',
} as const

function waitingLines({
  firstRefusedBy,
  retryRefusedBy,
  waitingRetries,
}: ProtectionStatus): readonly string[] {
  const lines: string[] = []
  if (firstRefusedBy === 'rate') lines.push('first attempts wait for the rate')
  if (retryRefusedBy !== undefined && waitingRetries > 0) {
    const verb = waitingRetries === 1 ? 'waits' : 'wait'
    lines.push(`${plural(waitingRetries, 'retry', 'retries')} ${verb} for ${LIMITS[retryRefusedBy]}`)
  }
  return lines
}

/** At most two digits behind the point. */
function rate(value: number): string {
  return value >= 100 ? count(value) : String(Number(value.toFixed(2)))
}
