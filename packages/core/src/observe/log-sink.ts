import type { NotifySink } from '../model/app.ts'
import type { Logger } from './logger.ts'

/** Writes each notice to a logger: an end or a stop as a warning, a key that waits as information. */
export function logSink(logger: Logger, name = 'log'): NotifySink {
  return {
    name,
    notify(notice) {
      const level = notice.kind === 'key-held' && !notice.parked ? 'info' : 'warn'
      logger[level]({ notice }, `notice: ${notice.kind}`)
    },
  }
}
