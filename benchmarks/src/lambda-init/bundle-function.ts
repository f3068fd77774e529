import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** An application of one subscription, and the handler that Lambda calls with a stream's records. */
const FUNCTION = `
import { defineApp, stream, subscribe } from '@eddy/core'
import { handlers } from '@eddy/aws/lambda'
const orders = stream('orders', { shards: 1 })
const app = defineApp({
  subscriptions: [subscribe('charge', orders, { failure: { blocks: 'nothing' }, handle: async () => {} })],
})
export const { kinesis } = handlers(app)
`

/** What Lambda itself brings, or what a function needs not have. */
const OPTIONAL = ['@aws-lambda-powertools/*', '@opentelemetry/api']
const SDK = ['@aws-sdk/*', '@smithy/*']
/** Modules of CommonJS ask for Node's by \`require\`. */
const BANNER = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`

export interface BundledFunction {
  readonly path: string
  /** Of everything that is loaded, now or later. */
  readonly bytes: number
}

/** Bundles the function into \`dir\`, as the constructs do: minified, one ES module and what it loads late. */
export async function bundleFunction(dir: string, sdk: 'bundled' | 'left out'): Promise<BundledFunction> {
  const { metafile } = await build({
    stdin: {
      contents: FUNCTION,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
      sourcefile: 'function.mjs',
    },
    external: sdk === 'bundled' ? OPTIONAL : [...OPTIONAL, ...SDK],
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    entryNames: 'index',
    chunkNames: 'part-[hash]',
    banner: { js: BANNER },
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  })
  const files = Object.keys(metafile.outputs)
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  return { path: join(dir, 'index.mjs'), bytes }
}
