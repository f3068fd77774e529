import type { AppDefinition } from '@eddy/core'
import { type Command, Option } from 'commander'
import type { Action, CommandContext } from '../command-context.ts'
import { asConfiguration } from '../command-errors.ts'
import { requireDurationMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'
import { version } from '../version.ts'
import { guardCrashes } from './crash-guard.ts'
import { haltEngine, type OpenOptions, openEngine } from './open-engine.ts'
import { shutDown } from './shut-down.ts'
import {
  type AwsOptions,
  type AwsSurroundings,
  checkAwsOptions,
  type StartedAws,
  startAws,
} from './start-aws.ts'
import { type StartedServer, startBanner } from './start-banner.ts'
import { checkEngineOptions, ENGINE_OPTIONS } from './worker-options.ts'

const awsPort = parseCount('--aws-port', 0, 65_535)

interface StartOptions extends AwsOptions, OpenOptions {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly shutdownTimeout: string
}

const EXAMPLES = `
Examples:
  eddy start app.ts --data ./data
  eddy start --data ./data --port 4011            streams and HTTP without subscriptions
  EDDY_TOKEN=secret eddy start app.ts --data ./data --host 0.0.0.0
  eddy start --data ./data --aws-port 4566        Kinesis and SQS for AWS clients, too
  eddy start app.ts --engine aws --name shop --bucket shop-payloads      one of several workers on AWS

The application file exports defineApp({ streams, subscriptions }) as default. Logs go to standard error.
SIGTERM or Ctrl-C finishes what is in flight (or gives it back), saves checkpoints and ends with status 0.`

export function startCommand(program: Command, action: Action): void {
  const start = program
    .command('start')
    .summary('run an application: streams, subscriptions, HTTP')
    .description(
      'Runs the engine, the subscriptions of an application file and the HTTP API in one process; with --engine aws as one of several workers.',
    )
    .argument('[app]', 'application file, .ts or .js')
    .option('--data <dir>', 'data directory; made when it is not there; default ./eddy-data')
    .option('--port <n>', 'port to listen on; 0 takes a free one', parseCount('--port', 0, 65_535), 4010)
    .option(
      '--host <address>',
      'address to listen on; others than this machine’s own need --token',
      '127.0.0.1',
    )
    .option('--read-only', 'refuse every change over HTTP; subscriptions run all the same')
    .option(
      '--aws-port <n>',
      'serve Kinesis and SQS to AWS clients on this port; 0 takes a free one',
      awsPort,
    )
    .option('--aws-region <region>', 'region of their ARNs and signatures', 'us-east-1')
    .addOption(
      new Option('--aws-limits <limits>', 'limits of streams that AWS clients make')
        .choices(['kinesis', 'off'])
        .default('kinesis'),
    )
    .option('--aws-instant', 'their streams are made, changed and deleted at once')
    .option(
      '--aws-credentials <file>',
      'pairs `ID SECRET` that may sign, one a line; see EDDY_AWS_ACCESS_KEY_ID',
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option('--shutdown-timeout <duration>', 'how long a stop waits for what is in flight', '25s')
    .addHelpText('after', EXAMPLES)
    .action(action(run))
  for (const option of ENGINE_OPTIONS) start.addOption(option)
}

async function run(context: CommandContext, file: string | undefined, options: StartOptions): Promise<void> {
  const { io } = context
  const timeoutMs = requireDurationMs(options.shutdownTimeout, '--shutdown-timeout')
  checkEngineOptions(options)
  checkAwsOptions(options)
  // Loaded here, so that the other commands start without the engine.
  const { pinoLogger } = await import('@eddy/server/logger')
  const logger = pinoLogger({
    level: options.logLevel,
    destination: { write: (line) => io.stderr.write(line) },
  })
  const release = guardCrashes(logger, () => haltEngine(options))
  try {
    const app = file === undefined ? undefined : await appOf(file)
    const { eddy, place } = await openEngine(options, { app, file, logger, env: io.env })
    const closeTimeoutMs = Math.ceil(timeoutMs / 2)
    const { server, aws } = await openServers(context, options, {
      eddy,
      app,
      logger,
      env: io.env,
      closeTimeoutMs,
    })
    await eddy.setAddress(server.url)
    await announce(context, {
      url: server.url,
      port: server.port,
      aws,
      place,
      app,
      file,
      needsToken: context.token !== undefined,
    })
    await untilAborted(io.signal)
    const servers = { close: async () => void (await Promise.all([server.close(), aws?.close()])) }
    await shutDown({ server: servers, eddy, logger, timeoutMs })
  } finally {
    release()
  }
}

async function appOf(file: string): Promise<AppDefinition> {
  const { loadApp } = await import('../../load-app/load-app.ts')
  return await loadApp(file)
}

/**
 * All or none: what cannot listen closes the rest again. The AWS endpoint is first, before the HTTP API is even loaded:
 * people start it for every run of their tests.
 */
async function openServers(context: CommandContext, options: StartOptions, surroundings: AwsSurroundings) {
  const { host, port } = options
  const { token } = context
  const { eddy, logger, closeTimeoutMs } = surroundings
  let aws: StartedAws | undefined
  try {
    aws = await startAws(options, surroundings)
    const { serve } = await import('@eddy/server')
    const server = await asConfiguration(
      serve({
        operations: eddy.operations,
        host,
        port,
        logger,
        version,
        closeTimeoutMs,
        ...(token === undefined ? {} : { token }),
      }),
    )
    return { server, aws }
  } catch (error) {
    await aws?.close()
    await eddy.close()
    throw error
  }
}

async function announce(context: CommandContext, started: StartedServer): Promise<void> {
  if (!context.json) return await context.print(startBanner(started, context.paint))
  const { url, port, aws, place, app } = started
  const subscriptions = (app?.subscriptions ?? []).map(({ name, stream }) => ({ name, stream }))
  const awsUrl = aws === undefined ? {} : { awsUrl: aws.url }
  await context.printJson({ url, port, ...awsUrl, ...place, pid: process.pid, subscriptions })
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
