import { InterruptedError } from './command-errors.ts'
import { EXIT } from './exit-code.ts'
import { run } from './run.ts'

/** The process of the `eddy` command: signals, broken pipes, exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = () => {
    // The first one asks the command to stop; the second one does not ask.
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted)
    interrupt.abort(new InterruptedError())
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has seen enough, as in `eddy tail orders | head`.
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed)
  })
  const { stdin, stdout, stderr, env } = process
  const exitCode = await run(argv, { stdin, stdout, stderr, env, signal: interrupt.signal })
  process.exitCode = exitCode
  // A pipe may still hold output; what else keeps the process up (idle connections, stdin) need not be waited for.
  stdout.write('', () => process.exit(exitCode))
}
