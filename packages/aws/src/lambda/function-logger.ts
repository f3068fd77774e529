import type { Logger } from '@eddy/core'

type Level = 'debug' | 'info' | 'warn' | 'error'
type Environment = Readonly<Record<string, string | undefined>>

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** Powertools' logger where it is installed; else a line of JSON for each message, in the same shape. */
export async function functionLogger(env: Environment): Promise<Logger> {
  const powertools = await import('@aws-lambda-powertools/logger').catch(() => undefined)
  if (powertools === undefined) return jsonLogger(env, (line) => void process.stdout.write(`${line}\n`))
  const serviceName = env.POWERTOOLS_SERVICE_NAME ?? env.EDDY_NAME
  const logger = new powertools.Logger(serviceName === undefined ? {} : { serviceName })
  const at =
    (level: Level): Logger[Level] =>
    (fields, message) =>
      logger[level](message, { ...fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Powertools' variables say how much is written, and for which service. */
export function jsonLogger(env: Environment, write: (line: string) => void): Logger {
  const wanted = (env.POWERTOOLS_LOG_LEVEL ?? env.AWS_LAMBDA_LOG_LEVEL ?? 'info').toLowerCase()
  const least = Math.max(0, LEVELS.indexOf(wanted as Level))
  const service = env.POWERTOOLS_SERVICE_NAME ?? env.EDDY_NAME ?? 'eddy'
  const at =
    (level: Level): Logger[Level] =>
    (fields, message) => {
      if (LEVELS.indexOf(level) < least) return
      const timestamp = new Date().toISOString()
      write(JSON.stringify({ ...fields, level: level.toUpperCase(), message, timestamp, service }))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
