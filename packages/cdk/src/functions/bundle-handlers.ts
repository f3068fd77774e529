import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { AppLoadError } from '@eddy/core'
import { buildSync, type Metafile } from 'esbuild'

const HANDLERS = '@eddy/aws/lambda'
const SERVER = '@eddy/server'

/** What Eddy uses when it is there: a function without it says so only if it needs it. */
const OPTIONAL = ['@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics', '@opentelemetry/api']

/** What the embedded engine stands on. It is native, and of no use in a function. */
const EMBEDDED = 'lmdb'

/** Modules of CommonJS that are bundled into an ES module still ask for Node's by `require`. */
const BANNER = `import { createRequire as eddyCreateRequire } from 'node:module'; const require = eddyCreateRequire(import.meta.url);`

/** Names of errors are kept: rules and fingerprints go by them. */
const NAMES = { minify: true, keepNames: true } as const

export interface BundleOptions {
  /** The application file. */
  readonly entry: string
  /** Where `index.mjs` and what it loads later are written to. */
  readonly outDir: string
  /** `bundled`: the AWS SDK that the application is tested with; `runtime`: the one that Lambda brings. */
  readonly sdk: 'bundled' | 'runtime'
}

/**
 * Bundles an application with Eddy's Lambda handlers, without Docker: an ES module that exports a handler a name.
 *
 * @throws AppLoadError when something is missing, or the embedded engine would come along
 */
export function bundleHandlers({ entry, outDir, sdk }: BundleOptions): void {
  const file = resolve(entry)
  const folder = dirname(file)
  const { metafile } = built(entry, () =>
    buildSync({
      stdin: {
        contents: sourceOf(basename(file)),
        resolveDir: folder,
        sourcefile: 'eddy-handlers.ts',
        loader: 'ts',
      },
      alias: Object.fromEntries([HANDLERS, SERVER].map((name) => [name, pathOf(name, file) ?? name])),
      external: [
        EMBEDDED,
        ...OPTIONAL.filter((name) => pathOf(name, file) === undefined),
        ...(sdk === 'runtime' ? ['@aws-sdk/*', '@smithy/*'] : []),
      ],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      mainFields: ['module', 'main'],
      outdir: outDir,
      outExtension: { '.js': '.mjs' },
      entryNames: 'index',
      chunkNames: 'part-[hash]',
      banner: { js: BANNER },
      ...NAMES,
      sourcemap: true,
      sourcesContent: false,
      legalComments: 'none',
      metafile: true,
      logLevel: 'silent',
    }),
  )
  const path = importersOf(metafile, EMBEDDED)
  if (path !== undefined) {
    throw new AppLoadError(
      entry,
      `it brings in the embedded engine, by ${path}, which no function can run. Define the application in a file that does not open it, and open it in another`,
    )
  }
}

/**
 * With EDDY_HTTP_AUTH=iam callers of `http` are signed: API Gateway and function URLs let nobody else through, and take
 * the Authorization header for it. So the token that the API asks for is then one that only this process knows. Without
 * it there has to be an EDDY_TOKEN: nothing is open because a variable is missing. The API is loaded with its first
 * call: other functions never need it.
 */
function sourceOf(entry: string): string {
  return `
import { randomUUID } from 'node:crypto'
import * as file from ${JSON.stringify(`./${entry}`)}
import { handlers } from '${HANDLERS}'
const { default: main, app } = file
const isSigned = process.env.EDDY_HTTP_AUTH === 'iam'
const token = isSigned ? randomUUID() : process.env.EDDY_TOKEN
const load = async (options) => (await import('${SERVER}')).createApp(options)
const api = (options) => {
  let loading
  return {
    fetch: async (request) => {
      loading ??= load(options)
      if (isSigned) request.headers.set('authorization', 'Bearer ' + token)
      return await (await loading).fetch(request)
    },
  }
}
export const { http, kinesis, queue, rescue, retry, sns, sweep } = handlers(main ?? app, { http: api, token })
`
}

/** As the application sees it, else as this package does. */
function pathOf(name: string, entry: string): string | undefined {
  for (const from of [entry, import.meta.url]) {
    try {
      return createRequire(from).resolve(name)
    } catch {}
  }
  return undefined
}

function built<T>(entry: string, build: () => T): T {
  try {
    return build()
  } catch (error) {
    const { errors } = error as {
      errors?: readonly { text: string; location: { file: string; line: number } | null }[]
    }
    const [first] = errors ?? []
    if (first === undefined) throw error
    const place = first.location === null ? '' : ` (${first.location.file}:${first.location.line})`
    throw new AppLoadError(entry, `it cannot be bundled for Lambda: ${first.text}${place}`, { cause: error })
  }
}

/** The files whose code needs a module that is not there: the way to it, from the one that imports it. */
function importersOf({ outputs, inputs }: Metafile, name: string): string | undefined {
  const isUsed = Object.values(outputs).some(({ imports }) =>
    imports.some(({ path, external }) => external === true && path === name),
  )
  if (!isUsed) return undefined
  const importers = Object.entries(inputs).filter(([, { imports }]) =>
    imports.some(({ path }) => path === name),
  )
  return importers.map(([path]) => join(path)).join(', ')
}
