import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { gitChanges } from './git-changes.ts'
import { GitError } from './run-git.ts'

/** Repository → newline-delimited JSON on standard output, for `eddy put STREAM --key path`. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { tip: { type: 'string' }, after: { type: 'string', multiple: true } },
  })
  const [repository = '.', ...more] = positionals
  if (more.length > 0) {
    process.stderr.write('usage: to-ndjson [REPOSITORY] [--tip COMMIT] [--after COMMIT]...\n')
    return 2
  }
  const changes = gitChanges({
    repository,
    ...(values.tip === undefined ? {} : { tip: values.tip }),
    ...(values.after === undefined ? {} : { after: values.after }),
  })
  let block = ''
  for await (const change of changes) {
    block += `${JSON.stringify(change)}\n`
    if (block.length < 65_536) continue
    if (!process.stdout.write(block)) await once(process.stdout, 'drain')
    block = ''
  }
  process.stdout.write(block)
  return 0
}

// A reader that has had enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof GitError ? error.message : String(error)}\n`)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
