import type { Logger } from '@eddy/core'
import { destination, type LevelWithSilent, pino, stdSerializers } from 'pino'

export interface PinoLoggerOptions {
  /** Default `info`. */
  readonly level?: LevelWithSilent
  /** Where lines go; default standard error. */
  readonly destination?: { write(line: string): void }
  /** Log event payloads too. Tokens and authorization headers are never logged. */
  readonly includePayloads?: boolean
}

const SECRETS = ['authorization', 'token', 'password', 'secret', 'cookie']
const PAYLOADS = ['payload', 'data', 'body', 'envelope', 'event', 'record', 'records', 'content']

/**
 * Structured logs, one JSON object a line. Whatever a caller hands in under the name of a secret or a payload, at the
 * top or one level below, is replaced.
 */
export function pinoLogger(options: PinoLoggerOptions = {}): Logger {
  const hidden = options.includePayloads === true ? SECRETS : [...SECRETS, ...PAYLOADS]
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
      redact: { paths: hidden.flatMap((name) => [name, `*.${name}`]), censor: '[not logged]' },
    },
    options.destination ?? destination({ dest: 2, sync: true }),
  )
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}
