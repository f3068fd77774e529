import type { AwsResources } from '@eddy/aws/resources'
import { Option } from 'commander'
import { asConfiguration, UsageError } from '../command-errors.ts'
import { requireDurationMs } from '../format/time.ts'

export interface EngineOptions {
  readonly engine: 'embedded' | 'aws'
  readonly data?: string
  readonly name?: string
  readonly bucket?: string
  readonly worker?: string
  readonly lease?: string
  readonly create?: boolean
  readonly metrics?: 'emf' | 'none'
}

/** What the embedded engine knows nothing of. */
const OF_AWS = ['name', 'bucket', 'worker', 'lease', 'create', 'metrics'] as const

/** What only one process with a data directory can do. */
const OF_EMBEDDED: Readonly<Record<string, string>> = {
  data: '--data',
  awsPort: '--aws-port',
  awsInstant: '--aws-instant',
  awsCredentials: '--aws-credentials',
}

export const ENGINE_OPTIONS: readonly Option[] = [
  new Option('--engine <engine>', 'where streams and state are: a data directory, or AWS')
    .choices(['embedded', 'aws'])
    .default('embedded'),
  new Option('--name <name>', "the application's name among its resources on AWS; or EDDY_NAME"),
  new Option('--bucket <bucket>', 'S3 bucket of its payloads; or EDDY_BUCKET'),
  new Option('--worker <name>', 'what people know this worker by; default its random id'),
  new Option(
    '--lease <duration>',
    'after this long without a sign of life other workers take over; default 10s',
  ),
  new Option(
    '--metrics <format>',
    'metrics for CloudWatch on standard output; default emf on ECS, else none',
  ).choices(['emf', 'none']),
  new Option('--create', 'make what is not there on AWS: for emulators and first steps'),
]

/**
 * Before anything is opened.
 * @throws UsageError an option that the chosen engine has no use for
 */
export function checkEngineOptions(options: EngineOptions): void {
  const given = options as EngineOptions & Readonly<Record<string, unknown>>
  if (options.engine === 'aws') {
    const wrong = Object.entries(OF_EMBEDDED).find(([name]) => given[name] !== undefined)
    if (wrong !== undefined)
      throw new UsageError(
        `${wrong[1]}: it is of the embedded engine, and --engine is aws. Leave one of them out.`,
      )
    return
  }
  const wrong = OF_AWS.find((name) => given[name] !== undefined)
  if (wrong !== undefined) throw new UsageError(`--${wrong}: expected --engine aws beside it`)
}

/** @throws ConfigurationError that names the option or the variable */
export async function resourcesOf(
  { name, bucket }: EngineOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AwsResources> {
  const { RESOURCE_VARIABLES, resourcesFromEnv } = await import('@eddy/aws/resources')
  const all = {
    ...env,
    ...(name !== undefined && { [RESOURCE_VARIABLES.name]: name }),
    ...(bucket !== undefined && { [RESOURCE_VARIABLES.bucket]: bucket }),
  }
  return await asConfiguration((async () => resourcesFromEnv(all))())
}

/** @throws UsageError */
export function leaseMsOf({ lease }: EngineOptions): number | undefined {
  return lease === undefined ? undefined : requireDurationMs(lease, '--lease')
}
