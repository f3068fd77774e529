import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { median } from '../support/statistics.ts'
import { bundleFunction } from './bundle-function.ts'

const STARTS = 10
const MIB = 1_024 * 1_024
const GIVE_UP_MS = 30_000

/** Loads a handler, and invokes it with no record: it opens all that its first batch needs, and finds nothing in it. */
const PROGRAM = `
const begin = performance.now()
const { kinesis } = await import(process.argv[1])
const loaded = performance.now()
await kinesis({ Records: [] }, { awsRequestId: 'r', getRemainingTimeInMillis: () => 60000 }).catch(() => {})
console.log(JSON.stringify({ loadedMs: loaded - begin, openMs: performance.now() - begin }))
process.exit(0)
`

const BARE = `export const kinesis = async () => ({ batchItemFailures: [] })\n`

/**
 * A bundled Kinesis function: its size without the AWS SDK, and how long it takes a new process to load it and to have
 * everything open that a batch needs (the clients of Kinesis, DynamoDB and SQS), beside a handler that does nothing.
 */
export const lambdaInit: Benchmark = {
  name: 'lambda-init',
  timeoutMs: 120_000,
  async run({ dir, say }) {
    say('bundling')
    const lean = await bundleFunction(join(dir, 'lean'), 'left out')
    const whole = await bundleFunction(join(dir, 'whole'), 'bundled')
    const bare = join(dir, 'bare', 'index.mjs')
    mkdirSync(join(dir, 'bare'), { recursive: true })
    writeFileSync(bare, BARE)
    const starts = { eddy: [] as Start[], bare: [] as Start[] }
    for (let index = 0; index < STARTS; index += 1) {
      say(`start ${index + 1} of ${STARTS}`)
      starts.bare.push(startOnce(bare))
      starts.eddy.push(startOnce(whole.path))
    }
    return [
      {
        what: 'bundle without the AWS SDK',
        value: lean.bytes / MIB,
        unit: 'MiB',
        target: { kind: 'at most', value: 1_000_000 / MIB },
        note: `${lean.bytes} bytes minified; with the clients of the SDK ${whole.bytes}`,
        details: { leanBytes: lean.bytes, wholeBytes: whole.bytes },
      },
      initOf('load', starts, ({ loadedMs }) => loadedMs),
      initOf('load and open', starts, ({ openMs }) => openMs),
    ]
  },
}

interface Start {
  readonly loadedMs: number
  readonly openMs: number
}

function initOf(
  what: string,
  starts: { readonly eddy: readonly Start[]; readonly bare: readonly Start[] },
  timeOf: (start: Start) => number,
): Result {
  const eddy = starts.eddy.map(timeOf)
  const bare = starts.bare.map(timeOf)
  const round = (values: readonly number[]) => values.map((value) => Math.round(value)).join(', ')
  return {
    what: `initialisation: ${what}`,
    value: median(eddy),
    unit: 'ms',
    note: `with the SDK bundled; ${STARTS} processes: ${round(eddy)}; a bare handler ${median(bare).toFixed(1)} ms`,
    details: { eddy, bare },
  }
}

function startOnce(path: string): Start {
  const env = {
    PATH: process.env.PATH,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    EDDY_NAME: 'shop',
    EDDY_BUCKET: 'shop-payloads',
    EDDY_SUBSCRIPTION: 'charge',
  }
  const args = ['--input-type=module', '--eval', PROGRAM, path]
  const output = execFileSync(process.execPath, args, {
    env,
    timeout: GIVE_UP_MS,
    encoding: 'utf8',
    // The SDK's advice on versions of Node.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Start
}
