import type { AppDefinition, Logger } from '@eddy/core'
import type { Eddy } from '../../eddy.ts'
import { asConfiguration, UsageError } from '../command-errors.ts'

export interface AwsOptions {
  readonly host: string
  readonly readOnly?: boolean
  readonly awsPort?: number
  readonly awsRegion: string
  readonly awsLimits: 'kinesis' | 'off'
  readonly awsInstant?: boolean
  readonly awsCredentials?: string
}

export interface AwsSurroundings {
  readonly eddy: Eddy
  readonly app: AppDefinition | undefined
  readonly logger: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  readonly closeTimeoutMs: number
}

export interface StartedAws {
  readonly url: string
  readonly region: string
  readonly needsSignature: boolean
  close(): Promise<void>
}

/** The AWS-compatible endpoint, when it is asked for: nothing of it is loaded otherwise. */
export async function startAws(
  options: AwsOptions,
  { eddy, app, logger, env, closeTimeoutMs }: AwsSurroundings,
): Promise<StartedAws | undefined> {
  const { host, readOnly, awsPort: port, awsRegion: region } = options
  if (port === undefined) return undefined
  const { openAwsEndpoint, readCredentials } = await import('@eddy/server/aws')
  const credentials = await asConfiguration((async () => readCredentials(env, options.awsCredentials))())
  const server = await asConfiguration(
    openAwsEndpoint({
      engine: eddy.engine,
      streamsChanged: () => eddy.streamsChanged(),
      readersOf: async (stream) =>
        (app?.subscriptions ?? []).filter((one) => one.stream === stream).map(({ name }) => name),
      host,
      port,
      region,
      limits: options.awsLimits,
      instant: options.awsInstant === true,
      credentials,
      readOnly: readOnly === true,
      logger,
      closeTimeoutMs,
    }),
  )
  return { url: server.url, region, needsSignature: credentials.length > 0, close: () => server.close() }
}

/**
 * Before anything is opened.
 * @throws UsageError an option of an endpoint that is not asked for: nothing would be served, nor checked
 */
export function checkAwsOptions({ awsPort, awsInstant, awsCredentials }: AwsOptions): void {
  if (awsPort !== undefined || (awsInstant !== true && awsCredentials === undefined)) return
  const option = awsInstant === true ? '--aws-instant' : '--aws-credentials'
  throw new UsageError(`${option}: expected --aws-port beside it, such as --aws-port 4566`)
}
