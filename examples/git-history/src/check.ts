import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { projectionDirectory, sourceFile } from './places.ts'
import { Projection } from './projection.ts'
import { verdictLines } from './report.ts'
import { readSettings } from './settings.ts'
import { expectedCounts, findSource } from './source.ts'
import { verify } from './verify.ts'

const SAMPLED_PATHS = 25

/**
 * Compares a projection with Git's own count; also while the example runs. Exit code 0: equal.
 *
 * `--tip COMMIT` names what was read where `start` did not read it, such as by `to-ndjson` and `eddy put`.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      tip: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const settings = readSettings(process.env)
  const data = values.data ?? settings.dataDirectory
  if (!existsSync(projectionDirectory(data))) {
    throw new Error(
      `there is no projection in ${data}. Run the example first, or name its folder with --data.`,
    )
  }
  const found = await findSource(positionals[0] ?? '.', sourceFile(data))
  const source = { ...found, ...(values.tip !== undefined && { tips: [values.tip] }) }
  if (source.tips.length === 0) {
    throw new Error(
      `nothing says that a whole history is in ${data} yet. Let the example finish reading first, or name what was read with --tip COMMIT.`,
    )
  }
  const projection = new Projection(projectionDirectory(data), { readOnly: true })
  const { repository, tips } = source
  const verdict = await verify({
    projection,
    expected: await expectedCounts(source),
    ordered: settings.blocks !== 'nothing',
    ...(repository === undefined ? {} : { sample: { repository, tips, paths: SAMPLED_PATHS } }),
  })
  await projection.close()
  const witness = repository === undefined ? 'the generated history' : 'git log counts them'
  console.log(values.json ? JSON.stringify(verdict) : verdictLines(verdict, witness).join('\n'))
  return verdict.ok ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
