import type { METRIC_NAMES } from '../resources/index.ts'

/** What is told of a subscription at a time: what was added since the last time, and what stands at the moment. */
export type Published = Readonly<Partial<Record<keyof typeof METRIC_NAMES, number>>>

/** Takes what was counted for one subscription. */
export type PublishMetrics = (subscription: string, counts: Published) => void

export function unitOf(name: string): 'Seconds' | 'Count' {
  return name === 'oldestRetry' || name === 'lag' ? 'Seconds' : 'Count'
}
