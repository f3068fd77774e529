import { type Command, CommanderError } from 'commander'
import type { RunState } from './command-context.ts'
import type { CommandIo } from './command-io.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { errorJson, errorLine } from './format/error-line.ts'
import { createProgram } from './program.ts'

/**
 * Runs one command line and says how it ended. Never throws: what went wrong is one line on stderr (with `--json`, one
 * JSON object).
 *
 * @param argv - the arguments after `eddy`
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const state: RunState = { exitCode: EXIT.ok }
  const json = argv.includes('--json')
  const program = await createProgram(io, state, { json, argv: argv.includes('help') ? [] : argv })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return state.exitCode
  } catch (error) {
    const failure = io.signal.aborted ? (io.signal.reason ?? error) : error
    const exitCode = exitCodeOf(failure)
    if (exitCode === EXIT.ok) return exitCode
    if (failure instanceof CommanderError) {
      // Commander has written its own text already, help and all.
      if (json) io.stderr.write(`${usageJson(failure, program, argv)}\n`)
      return exitCode
    }
    if (exitCode === EXIT.interrupted && !json) return exitCode
    io.stderr.write(`${json ? errorJson(failure) : errorLine(failure)}\n`)
    if (io.env.EDDY_DEBUG && failure instanceof Error) io.stderr.write(`${failure.stack}\n`)
    return exitCode
  }
}

function usageJson(error: CommanderError, program: Command, argv: readonly string[]): string {
  // Without --json, commander prints the help here; its message is a mere mark.
  const detail =
    error.code === 'commander.help' ? missingCommand(program, argv) : error.message.replace(/^error: /, '')
  return JSON.stringify({ code: 'EDDY_USAGE', title: 'UsageError', detail, retryable: false, details: {} })
}

function missingCommand(program: Command, argv: readonly string[]): string {
  const group = program.commands.find((inner) => inner.commands.length > 0 && argv.includes(inner.name()))
  const command = group === undefined ? 'eddy' : `eddy ${group.name()}`
  const names = (group ?? program).commands.map((inner) => inner.name())
  return `expected a command after "${command}": ${names.join(', ')}. See: ${command} --help`
}
