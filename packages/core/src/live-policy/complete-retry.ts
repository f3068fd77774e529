import type { PolicyValue } from '../model/policy-state.ts'
import { exponential, fixed, linear } from '../policies/retry.ts'

type Members = Readonly<Record<string, PolicyValue>>

/** A retry policy with the defaults of its builder where members are left out. What is none stays what it is. */
export function completeRetry(value: PolicyValue): PolicyValue {
  if (!isObject(value)) return value
  switch (value.kind) {
    case 'exponential':
      return { ...exponential(), ...value }
    case 'linear':
      return { ...linear(), ...(value.initialMs !== undefined && { stepMs: value.initialMs }), ...value }
    case 'fixed':
      return { ...fixed(), ...value }
    case 'list': {
      const calls = Array.isArray(value.delaysMs) ? value.delaysMs.length + 1 : 1
      return { maxAttempts: calls, jitter: 'none', ...value }
    }
    default:
      return value
  }
}

export function completeRules(value: PolicyValue): PolicyValue {
  if (!Array.isArray(value)) return value
  return (value as readonly PolicyValue[]).map((rule) =>
    isObject(rule) && rule.retry !== undefined ? { ...rule, retry: completeRetry(rule.retry) } : rule,
  )
}

function isObject(value: PolicyValue): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
