import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { BENCHMARKS } from './benchmarks.ts'

export interface Arguments {
  readonly names: readonly string[]
  readonly strict: boolean
  /** Where the machine-readable results go. */
  readonly json: string | undefined
  /** Where the temporary folders are made: on the disk to measure. */
  readonly dir: string
  readonly pending: number
  readonly spreadMs: number
  readonly records: number
}

export const USAGE: string = `npm run bench -- [NAME…] [options]

Benchmarks: ${BENCHMARKS.map(({ name }) => name).join(', ')} (default: all)

  --json             write the results to .eddy/benchmarks.json as well
  --json-file PATH   … to this file
  --strict           exit with 2 when a target is missed
  --dir PATH         make the temporary folders here: the disk to measure (default: ${tmpdir()})
  --pending N        million: pending retries (default 1000000)
  --spread SECONDS   punctuality: due times are spread over this long (default 20; the target says 60)
  --records N        writers: records of 1 KB in each round (default 500000)`

/** @throws Error with what is wrong */
export function parseArguments(args: readonly string[]): Arguments | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'json-file': { type: 'string' },
      strict: { type: 'boolean', default: false },
      dir: { type: 'string', default: tmpdir() },
      pending: { type: 'string', default: '1000000' },
      spread: { type: 'string', default: '20' },
      records: { type: 'string', default: '500000' },
    },
  })
  if (values.help) return 'help'
  for (const name of positionals)
    if (!BENCHMARKS.some((benchmark) => benchmark.name === name))
      throw new Error(`no benchmark is called ${JSON.stringify(name)}`)
  return {
    names: positionals.length > 0 ? positionals : BENCHMARKS.map(({ name }) => name),
    strict: values.strict,
    json: values['json-file'] ?? (values.json ? '.eddy/benchmarks.json' : undefined),
    dir: values.dir,
    pending: whole('--pending', values.pending, 1_000, 10_000_000),
    spreadMs: whole('--spread', values.spread, 1, 600) * 1_000,
    records: whole('--records', values.records, 1_000, 5_000_000),
  }
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new Error(`${option}: expected a whole number from ${least} to ${most}, received ${text}`)
}
