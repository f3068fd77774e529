import type { ProtectionStatus } from '../operate/subscription-shapes.ts'
import type { Clock } from '../ports/clock.ts'
import { toWall } from './breaker-store.ts'
import type { Protection } from './protection.ts'

/** What an operator sees of a protected subscription; undefined where nothing but `concurrency` protects. */
export function protectionStatus(
  protection: Protection,
  clock: Clock,
  waitingRetries: number,
): ProtectionStatus | undefined {
  if (!protection.isActive) return undefined
  const firstRefusedBy = protection.refusing('first')
  const retryRefusedBy = protection.refusing('retry')
  return {
    ...breakerPart(protection, clock),
    ...(firstRefusedBy !== undefined && { firstRefusedBy }),
    ...(retryRefusedBy !== undefined && { retryRefusedBy }),
    waitingRetries,
    ...protection.ratesNow(),
  }
}

function breakerPart(
  protection: Protection,
  clock: Clock,
): Pick<
  ProtectionStatus,
  'state' | 'openSinceMs' | 'probesAtMs' | 'rampEndsAtMs' | 'reason' | 'pauseMs' | 'outcomes' | 'failed'
> {
  const state = protection.breakerState()
  const { window, probing, openSinceMs } = protection.view
  if (state === undefined) return { state: 'closed' }
  const { count, failed } = state.kind === 'probing' ? probing : window
  const seen = { outcomes: count, failed }
  if (state.kind === 'closed') return { state: 'closed', ...seen }
  const { kind, reason, pauseMs } = state
  const since = openSinceMs === undefined ? {} : { openSinceMs: toWall(clock, openSinceMs) }
  if (kind === 'open') {
    // What was seen is what it opened on: the reason says it.
    return { state: kind, reason, pauseMs, ...since, probesAtMs: toWall(clock, state.probesAtMs) }
  }
  if (kind === 'probing') return { state: kind, reason, pauseMs, ...since, ...seen }
  return { state: kind, reason, pauseMs, rampEndsAtMs: toWall(clock, protection.rampEndsMs(state)), ...seen }
}
