import type { Clock, Logger, Observed, Runtime } from '@eddy/core'
import { embeddedMetrics, FunctionMetrics } from '../lambda/function-metrics.ts'

/** A period of the metrics, and of nothing that is decided by them. */
const EVERY_MS = 60_000

export interface WorkerMetricsOptions {
  /** The application's name among its resources. */
  readonly application: string
  readonly runtime: Pick<Runtime, 'observe'>
  readonly clock: Clock
  readonly logger: Logger
  /** Takes a line without its end, in the CloudWatch embedded metric format. */
  readonly write: (line: string) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/**
 * Tells once a minute, for each subscription, what this worker counted since the last time, and how long the oldest event
 * waits: what the constructs' alarms look at. Where logs go to CloudWatch, such lines become metrics.
 */
export async function tellMetrics(options: WorkerMetricsOptions): Promise<void> {
  const { application, runtime, clock, logger, write, signal } = options
  let observed: readonly Observed[] = []
  const counted = {
    get app() {
      return { subscriptions: observed.map(({ subscription: name }) => ({ name })) }
    },
    metricsOf: (name: string) =>
      (observed.find(({ subscription }) => subscription === name) as Observed).metrics,
  }
  const metrics = new FunctionMetrics(
    counted,
    embeddedMetrics(application, () => clock.now(), write),
  )
  do {
    await clock.sleep(EVERY_MS, signal)
    try {
      observed = await runtime.observe()
      metrics.saw(observed)
      metrics.flush()
    } catch (error) {
      logger.warn({ reason: String(error) }, 'metrics were not told and are told with the next ones')
    }
    // What was counted since is told when it ends, too.
  } while (!signal.aborted)
}
