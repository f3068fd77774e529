import { randomUUID } from 'node:crypto'
import {
  type AppDefinition,
  createInvocations,
  type Engine,
  InvalidOptionError,
  type Invocations,
  type Logger,
} from '@eddy/core'
import { type AwsResources, resourcesFromEnv } from '../resources/index.ts'
import { functionLogger } from './function-logger.ts'
import { FunctionMetrics, publishMetrics } from './function-metrics.ts'
import type { HandlersOptions } from './handlers.ts'
import { tracedApp } from './traced-app.ts'

/** What a process of a function keeps from invocation to invocation. */
export interface OpenFunction {
  readonly app: AppDefinition
  readonly engine: Engine
  readonly invocations: Invocations
  readonly logger: Logger
  readonly metrics: FunctionMetrics
  readonly env: Readonly<Record<string, string | undefined>>
  /** @throws InvalidOptionError that names the variable that is missing */
  resources(): AwsResources
}

/** @throws InvalidOptionError, and what the engine's opening throws */
export async function openFunction(app: AppDefinition, options: HandlersOptions): Promise<OpenFunction> {
  const env = options.env ?? process.env
  const resources = (): AwsResources => options.resources ?? resourcesFromEnv(env)
  const logger = options.logger ?? (await functionLogger(env))
  const { engine, told } = await opened(app, { ...options, env, logger }, resources)
  const traced = options.traces === false ? told : await tracedApp(told)
  const maxRecordAgeMs = options.maxRecordAgeMs ?? ageOf(env.EDDY_MAX_RECORD_AGE_MS)
  const invocations = createInvocations({
    engine,
    app: traced,
    logger,
    processId: randomUUID(),
    ...(maxRecordAgeMs !== undefined && { maxRecordAgeMs }),
  })
  const application = options.resources?.name ?? env.EDDY_NAME ?? 'eddy'
  const publish = options.metrics ?? (await publishMetrics(application))
  const metrics = new FunctionMetrics(invocations, publish)
  return { app, engine, invocations, logger, metrics, env, resources }
}

/** Its ports, and the application with a sink for its topic, where its resources name one. */
async function opened(
  app: AppDefinition,
  options: HandlersOptions & Pick<OpenFunction, 'env' | 'logger'>,
  resources: () => AwsResources,
): Promise<{ readonly engine: Engine; readonly told: AppDefinition }> {
  if (options.engine !== undefined) return { engine: await options.engine(), told: app }
  const { awsEngine, withTopic } = await import('../engine/index.ts')
  const { env, logger } = options
  const found = resources()
  const [engine, told] = await Promise.all([
    awsEngine({ app, resources: found, logger, env, load: 'late' }),
    withTopic(app, found, env),
  ])
  return { engine, told }
}

function ageOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const ageMs = Number(text)
  if (Number.isInteger(ageMs)) return ageMs
  throw new InvalidOptionError('EDDY_MAX_RECORD_AGE_MS', 'a number of milliseconds', text)
}
