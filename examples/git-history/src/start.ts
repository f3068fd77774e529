import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Eddy, isEddyError, open } from 'eddy'
import { Activity } from './activity.ts'
import { gitHistoryApp, STREAM, SUBSCRIPTION } from './git-history-app.ts'
import { ingest } from './ingest.ts'
import { engineDirectory, projectionDirectory, sourceFile } from './places.ts'
import { Progress } from './progress.ts'
import { Projection } from './projection.ts'
import { untilQuiet } from './quiet.ts'
import { topLines, verdictLines } from './report.ts'
import { serveNear } from './serve-near.ts'
import { readSettings, type Settings } from './settings.ts'
import {
  expectedCounts,
  findSource,
  GENERATED_COMMITS,
  newChanges,
  noteRead,
  producerIdOf,
  type Source,
} from './source.ts'
import { verify } from './verify.ts'

const DEFAULT_PORT = 4010
/** Seen from the outside, attempts that fail are what Eddy is for: a few, unless the environment says otherwise. */
const DEFAULT_FAIL_RATE = '0.03'
const SAMPLED_PATHS = 25

interface Run {
  readonly eddy: Eddy
  readonly projection: Projection
  readonly activity: Activity
  readonly source: Source
  readonly settings: Settings
  readonly stateFile: string
  readonly signal: AbortSignal
}

const USAGE = 'usage: start [REPOSITORY] [--data DIR] [--port N] [--once]\n'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: String(DEFAULT_PORT) },
      once: { type: 'boolean', default: false },
    },
  })
  const settings = readSettings({ EDDY_FAIL_RATE: DEFAULT_FAIL_RATE, ...process.env })
  const data = values.data ?? settings.dataDirectory
  mkdirSync(projectionDirectory(data), { recursive: true })
  const source = await findSource(positionals[0] ?? '.', sourceFile(data))
  const projection = new Projection(projectionDirectory(data))
  const activity = new Activity(settings.activityFile)
  const eddy = await open(gitHistoryApp({ projection, activity, ...settings }), {
    dataDir: engineDirectory(data),
  })
  const server = await serveNear(eddy.operations, Number(values.port)).catch(async (error) => {
    await eddy.close()
    throw error
  })
  await eddy.setAddress(server.url)
  const run: Run = {
    eddy,
    projection,
    activity,
    source,
    settings,
    stateFile: sourceFile(data),
    signal: stop.signal,
  }
  try {
    greet(run, server.url)
    const ok = await readAndCheck(run)
    if (values.once) return ok ? 0 : 1
    console.log(whereToLook(server.url))
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  } finally {
    await server.close()
    await eddy.close()
    await projection.close()
    activity.close()
  }
  console.error('stopped; everything is kept. The next start goes on from here.')
  return 0
}

function greet({ source, projection, settings }: Run, url: string): void {
  const { repository, tips, next } = source
  console.log(`eddy listens on ${url}`)
  console.log(
    repository === undefined
      ? `There is no Git, or no repository here: this is a GENERATED history of ${GENERATED_COMMITS} commits.`
      : `Reading the history of ${repository} at ${next ?? tips.at(-1)}.`,
  )
  const known = projection.total()
  if (known > 0) {
    const rest =
      next === undefined ? 'Nothing new to read.' : 'Going on from there; nothing is counted twice.'
    console.log(`${known} changes were counted in an earlier run. ${rest}`)
  }
  const percent = Number((settings.failRate * 100).toFixed(2))
  console.log(
    `${percent} % of the handler's attempts fail at random (EDDY_FAIL_RATE), and what waits then is: ${settings.blocks} (EDDY_BLOCKS).`,
  )
}

/** Reads what is new, waits until it is handled, compares. True if all is equal. */
async function readAndCheck(run: Run): Promise<boolean> {
  const { eddy, projection, activity, settings, signal } = run
  let appended = 0
  const progress = new Progress(process.stderr, () => {
    const { retries } = activity.counts()
    return `appended ${appended}  counted ${projection.total()}  retries ${retries}`
  })
  let source = run.source
  try {
    appended = await ingest(newChanges(source), {
      operations: eddy.operations,
      producerId: producerIdOf(source),
      signal,
      onProgress: (count) => {
        appended = count
      },
    })
    source = noteRead(source, run.stateFile)
    await untilQuiet(() => eddy.operations.showSubscription(SUBSCRIPTION), signal)
  } finally {
    progress.end()
  }
  const { repository, tips } = source
  const verdict = await verify({
    projection,
    expected: await expectedCounts(source),
    ordered: settings.blocks !== 'nothing',
    ...(repository === undefined ? {} : { sample: { repository, tips, paths: SAMPLED_PATHS } }),
  })
  const witness = repository === undefined ? 'the generated history has them' : 'git log counts them'
  console.log(['', ...topLines(projection), '', ...verdictLines(verdict, witness)].join('\n'))
  return verdict.ok
}

function whereToLook(url: string): string {
  const eddy = `npx eddy --url ${url}`
  return [
    '',
    'Where to look while it runs:',
    `  ${eddy} subscriptions show ${SUBSCRIPTION}`,
    `  ${eddy} tail ${STREAM} --from trim_horizon --limit 3`,
    `  ${eddy} failures list --status resolved --limit 5`,
    `  curl ${url}/metrics`,
    'Ctrl-C stops it.',
  ].join('\n')
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

let exitCode: number
try {
  exitCode = await main()
} catch (error) {
  exitCode = explain(error)
}
// All is closed and written. Whatever else still waits in this process is not waited for.
process.exit(exitCode)

function explain(error: unknown): number {
  if (stop.signal.aborted) {
    console.error('stopped on the way; the next start goes on from here.')
    return 130
  }
  if (error instanceof TypeError && 'code' in error) {
    process.stderr.write(`${error.message}\n${USAGE}`)
    return 2
  }
  console.error(isEddyError(error) || error instanceof Error ? error.message : String(error))
  return 1
}
