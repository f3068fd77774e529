export { embeddedMetrics } from './embedded-metrics.ts'
export type { Published, PublishMetrics } from './published.ts'
export { WorkerMetrics, type WorkerMetricsOptions } from './worker-metrics.ts'
