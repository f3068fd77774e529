import { checkRetentionLimits, resolveFaults, resolveLimits } from '../model/resolve-limits.ts'
import type { LimitsChange, StreamInfo, StreamSpec } from '../ports/log.ts'

/** @throws InvalidOptionError for limits or faults that are none, and a retention that the limits do not allow */
export function checkSpecLimits(spec: StreamSpec): StreamSpec {
  if (spec.limits === undefined && spec.faults === undefined) return spec
  const { limits: givenLimits, faults: givenFaults, ...rest } = spec
  const limits = givenLimits === undefined ? undefined : resolveLimits('limits', givenLimits)
  if (limits !== undefined && limits !== 'none') checkRetentionLimits('retentionMs', spec.retentionMs, limits)
  const faults = givenFaults === undefined ? undefined : resolveFaults('faults', givenFaults, limits)
  return withLimits(rest, {
    ...(limits !== undefined && { limits }),
    ...(faults !== undefined && { faults }),
  })
}

/** @param info - undefined: the log will say that there is no such stream */
export function checkedChange(info: StreamInfo | undefined, change: LimitsChange): LimitsChange {
  const limits = change.limits === undefined ? undefined : resolveLimits('limits', change.limits)
  if (info !== undefined && limits !== undefined && limits !== 'none') {
    checkRetentionLimits('limits: the retention of the stream', info.retentionMs, limits)
  }
  const faults =
    change.faults === undefined ? undefined : resolveFaults('faults', change.faults, limits ?? info?.limits)
  return { ...(limits !== undefined && { limits }), ...(faults !== undefined && { faults }) }
}

/** The stream after a change that was checked. For engines. */
export function withLimits<S extends StreamSpec>(
  stream: S,
  change: LimitsChange,
): Omit<S, 'limits' | 'faults'> & Pick<StreamSpec, 'limits' | 'faults'> {
  const { limits: limitsBefore, faults: faultsBefore, ...rest } = stream
  const limits = change.limits === undefined ? limitsBefore : change.limits
  const faults = change.faults ?? faultsBefore
  const strikes = faults !== undefined && Object.keys(faults).length > 0
  return {
    ...rest,
    ...(limits !== undefined && limits !== 'none' && { limits }),
    ...(strikes && { faults }),
  }
}
