import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type AppDefinition, AppLoadError } from '@eddy/core'
import { createJiti } from 'jiti'
import { appOf } from './app-of.ts'

/** How long an application file may take to load. */
const LOAD_TIMEOUT_MS = 60_000

const NEXT = 'See the examples in docs/reference/cli.md'

/**
 * Loads an application file, TypeScript or JavaScript, and hands out the application it exports as `default` or `app`.
 *
 * The file's `eddy` is always this very installation, wherever the file lies, so that both speak of the same classes.
 * Types are removed, not checked.
 *
 * @param options.timeoutMs - default 60,000: a top-level await that never settles must not hold the process
 * @throws AppLoadError naming the file, what is wrong with it, and the next step
 */
export async function loadApp(
  file: string,
  { timeoutMs = LOAD_TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<AppDefinition> {
  const path = resolve(file)
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => undefined,
  )
  if (isFile === undefined)
    throw new AppLoadError(file, 'there is no such file. Name an application file, such as app.ts')
  if (!isFile) throw new AppLoadError(file, 'it is a folder. Name an application file, such as app.ts')
  const module = await settledWithin(timeoutMs, file, importFile(path, file))
  return appOf(module, file)
}

/**
 * Waits for a module whose top-level await may never settle. With nothing else to do Node would then end without a
 * word (exit 13): `beforeExit` comes first, and says so at once.
 *
 * @throws AppLoadError
 */
async function settledWithin<T>(timeoutMs: number, file: string, loading: Promise<T>): Promise<T> {
  const next = `Let it end, or begin such work in a handler. ${NEXT}`
  let stop = () => {}
  const stuck = new Promise<never>((_resolve, reject) => {
    const giveUp = (problem: string) =>
      reject(new AppLoadError(file, `a top-level await of it ${problem}. ${next}`))
    const timer = setTimeout(giveUp, timeoutMs, `did not settle within ${timeoutMs} ms`)
    // It must not keep alive a process that has nothing left to do.
    timer.unref()
    // By way of setImmediate, which keeps the process for what follows the rejection.
    const onIdle = () => setImmediate(giveUp, 'never settles: nothing is left that could settle it')
    process.once('beforeExit', onIdle)
    stop = () => {
      clearTimeout(timer)
      process.off('beforeExit', onIdle)
    }
  })
  try {
    return await Promise.race([loading, stuck])
  } finally {
    stop()
  }
}

async function importFile(path: string, file: string): Promise<unknown> {
  const [eddy, core, embedded, server] = await Promise.all([
    import('../index.ts'),
    import('@eddy/core'),
    import('@eddy/embedded'),
    import('@eddy/server'),
  ])
  const jiti = createJiti(import.meta.url, {
    // A cache beside other people's node_modules would outlive an upgrade.
    fsCache: false,
    sourceMaps: true,
    interopDefault: false,
    virtualModules: { eddy, '@eddy/core': core, '@eddy/embedded': embedded, '@eddy/server': server },
  })
  try {
    return await jiti.import(path)
  } catch (error) {
    throw new AppLoadError(file, `${problemOf(error, dirname(path))}. ${NEXT}`, { cause: error })
  }
}

function problemOf(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return `it threw ${JSON.stringify(error) ?? String(error)}`
  const [first = ''] = error.message.split('\n')
  if (error instanceof SyntaxError || /^(ParseError|SyntaxError)/.test(first)) {
    return `it does not parse: ${first.replace(/^(ParseError|SyntaxError):\s*/, '')}`
  }
  const { code } = error as NodeJS.ErrnoException
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return `an import of it is missing: ${first}`
  return `it threw ${error.name}: ${first}${frameOf(error, folder)}`
}

/** Where in the author's code it happened; the frames above are those of what it called. */
function frameOf({ stack = '' }: Error, folder: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const own = frames.find((frame) => frame.includes(folder) && !frame.includes('node_modules'))
  const place = own === undefined ? null : /([^\s(]+:\d+:\d+)\)?$/.exec(own)
  return place === null ? '' : ` (at ${place[1]})`
}
