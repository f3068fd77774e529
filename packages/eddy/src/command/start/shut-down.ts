import type { Logger } from '@eddy/core'

export interface Running {
  readonly server: { close(): Promise<void> }
  readonly eddy: { close(options: { timeoutMs: number }): Promise<void> }
  readonly logger: Logger
  /** For both together. */
  readonly timeoutMs: number
}

/** Stops in the order of the flow: no more requests, then no more events, checkpoints, and the engine last. */
export async function shutDown({ server, eddy, logger, timeoutMs }: Running): Promise<void> {
  const startedAtMs = performance.now()
  const elapsedMs = () => Math.round(performance.now() - startedAtMs)
  logger.info({ timeoutMs }, 'stopping')
  await server.close()
  await eddy.close({ timeoutMs: Math.max(0, timeoutMs - elapsedMs()) })
  logger.info({ tookMs: elapsedMs() }, 'stopped')
}
