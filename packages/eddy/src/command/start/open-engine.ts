import { resolve } from 'node:path'
import type { AwsResources } from '@eddy/aws/resources'
import { type AppDefinition, isEddyError, type Logger } from '@eddy/core'
import type { Eddy } from '../../eddy.ts'
import { asConfiguration, ConfigurationError, UsageError } from '../command-errors.ts'
import { type EngineOptions, leaseMsOf, resourcesOf } from './worker-options.ts'

export interface OpenOptions extends EngineOptions {
  readonly host: string
  readonly port: number
  readonly readOnly?: boolean
  readonly awsPort?: number
}

export interface OpenedEngine {
  readonly eddy: Eddy
  /** Where its state is: a folder, or what its resources on AWS are called. */
  readonly place: { readonly dataDir: string } | { readonly resources: AwsResources }
}

export interface OpenSurroundings {
  readonly app: AppDefinition | undefined
  readonly file: string | undefined
  readonly logger: Logger
  readonly env: Readonly<Record<string, string | undefined>>
}

const DEFAULT_DATA = './eddy-data'

/** Each engine is loaded here, so that the other commands start without one. */
export function openEngine(options: OpenOptions, surroundings: OpenSurroundings): Promise<OpenedEngine> {
  return options.engine === 'aws' ? openWorker(options, surroundings) : openDataDir(options, surroundings)
}

/** Lets what is being written on this machine finish, before a crash ends the process. */
export async function haltEngine({ engine }: Pick<OpenOptions, 'engine'>): Promise<void> {
  if (engine === 'aws') return
  const { haltCommits } = await import('@eddy/embedded')
  await haltCommits()
}

async function openDataDir(
  { data = DEFAULT_DATA, host, port, readOnly, awsPort }: OpenOptions,
  { app, file, logger }: OpenSurroundings,
): Promise<OpenedEngine> {
  const { open } = await import('../../open.ts')
  const dataDir = resolve(data)
  const opening = open(app, {
    dataDir,
    logger,
    address: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(file === undefined ? {} : { appFile: resolve(file) }),
  })
  // Loaded while the disk is at work; what is wrong with it comes up where it is used.
  if (awsPort !== undefined) void import('@eddy/server/aws').catch(() => {})
  return { eddy: await asConfiguration(opening), place: { dataDir } }
}

async function openWorker(
  options: OpenOptions,
  { app, file, logger, env }: OpenSurroundings,
): Promise<OpenedEngine> {
  if (app === undefined || file === undefined)
    throw new UsageError('--engine aws: expected an application file, as in: eddy start app.ts --engine aws')
  const { readOnly, create, metrics, worker } = options
  const leaseMs = leaseMsOf(options)
  const resources = await resourcesOf(options, env)
  const { openAws } = await import('../../open-aws.ts')
  const opening = openAws(app, {
    resources,
    logger,
    env,
    appFile: resolve(file),
    ...(readOnly !== undefined && { readOnly }),
    ...(create !== undefined && { create }),
    ...(metrics !== undefined && { metrics }),
    ...(worker !== undefined && { workerName: worker }),
    ...(leaseMs !== undefined && { leaseMs }),
  })
  try {
    return { eddy: await asConfiguration(opening), place: { resources } }
  } catch (error) {
    throw await withKinesisName(error, resources)
  }
}

/** A stream that is not there goes by another name on Kinesis than in the application. */
async function withKinesisName(error: unknown, resources: AwsResources): Promise<unknown> {
  if (!isEddyError(error) || error.code !== 'EDDY_STREAM_NOT_FOUND') return error
  const { streamNameOf } = await import('@eddy/aws/resources')
  const { stream } = error.details
  const name = streamNameOf(resources, String(stream))
  return new ConfigurationError(
    `stream "${stream}" does not exist: on Kinesis it is called "${name}". A deployment makes it, or --create; or check the region and the account.`,
    error.details,
    { cause: error },
  )
}
