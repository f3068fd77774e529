import { type Engine, type Logger, resolveLimits } from '@eddy/core'
import type { RunningServer } from '../serve.ts'
import { kinesisService } from './kinesis/kinesis-service.ts'
import { lazyService } from './lazy-service.ts'
import { type ServeAwsOptions, serveAws } from './listen/serve-aws.ts'
import { sqsModel } from './model/sqs-model.ts'

export interface AwsEndpointOptions
  extends Pick<
    ServeAwsOptions,
    'host' | 'port' | 'region' | 'credentials' | 'readOnly' | 'logger' | 'closeTimeoutMs' | 'timeouts'
  > {
  readonly engine: Engine
  /** `kinesis`: streams made here have the limits of the service. `off`: only those of the engine. */
  readonly limits: 'kinesis' | 'off'
  /** Streams are made, changed and deleted at once, rather than after the time that the service needs at the least. */
  readonly instant: boolean
  /** Names of the subscriptions that read a stream, which is then not deleted. */
  readonly readersOf?: (stream: string) => Promise<readonly string[]>
  /** Called after streams or shards were made, changed or removed. */
  readonly streamsChanged?: () => Promise<void>
}

/** As those of tests and of other emulators: no account of the service has it. */
const ACCOUNT_ID = '000000000000'

/**
 * Kinesis and SQS over the ports of an engine, served on a port of their own.
 *
 * @throws what `serveAws` throws
 */
export async function openAwsEndpoint(options: AwsEndpointOptions): Promise<RunningServer> {
  const { engine, region, limits, instant, readOnly, readersOf, streamsChanged, logger } = options
  const ending = new AbortController()
  const preset = limits === 'kinesis' ? resolveLimits('--aws-limits', 'kinesis') : 'none'
  const kinesis = await kinesisService({
    engine,
    region,
    accountId: ACCOUNT_ID,
    ...(preset !== 'none' && { limits: preset }),
    ...(instant && { stateMs: 0 }),
    ...(readersOf !== undefined && { readersOf }),
    ...(streamsChanged !== undefined && { streamsChanged }),
    ...loggerOf(logger),
  })
  const sqs = lazyService(sqsModel, async () => {
    const { sqsService } = await import('./sqs/sqs-service.ts')
    const { table, clock } = engine
    return sqsService({ table, clock, signal: ending.signal, readOnly: readOnly === true })
  })
  const end = async () => {
    ending.abort()
    await kinesis.close()
  }
  try {
    const server = await serveAws({
      ...options,
      services: [kinesis, sqs],
      accountId: ACCOUNT_ID,
      now: () => engine.clock.now(),
    })
    return { url: server.url, port: server.port, close: async () => await server.close().then(end) }
  } catch (error) {
    await end()
    throw error
  }
}

function loggerOf(logger: Logger | undefined): { logger?: Logger } {
  return logger === undefined ? {} : { logger }
}
