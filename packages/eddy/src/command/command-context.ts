import { hostname, userInfo } from 'node:os'
import type { Command } from 'commander'
import { HttpClient } from '../client/http-client.ts'
import { UsageError } from './command-errors.ts'
import { type CommandIo, writeTo } from './command-io.ts'
import type { ExitCode } from './exit-code.ts'
import { type Paint, paint } from './format/paint.ts'

interface GlobalOptions {
  readonly url: string
  readonly token?: string
  readonly json?: boolean
}

/** What every command gets: where the server is, how to answer, whom to ask. */
export interface CommandContext {
  readonly io: CommandIo
  readonly json: boolean
  readonly client: HttpClient
  readonly url: string
  readonly token: string | undefined
  /** Colours for stdout; plain text where it is no terminal or NO_COLOR is set. */
  readonly paint: Paint
  /** Whether somebody is there to answer a question. */
  readonly interactive: boolean
  /** To stdout: data only. */
  print(text: string): Promise<void>
  printJson(value: unknown): Promise<void>
  /** To stderr: what goes on. */
  note(text: string): Promise<void>
  exitWith(code: ExitCode): void
}

export interface RunState {
  exitCode: ExitCode
}

function createContext(io: CommandIo, options: GlobalOptions, state: RunState): CommandContext {
  // Never the address itself here: it may hold a password.
  if (options.url.includes('@')) {
    throw new UsageError(
      '--url: expected an address without a name and a password, received one with them (not shown). A server takes a token: --token or EDDY_TOKEN.',
    )
  }
  if (!/^https?:\/\/[^/]/.test(options.url)) {
    throw new UsageError(
      `--url: expected an address such as http://127.0.0.1:4010, received ${JSON.stringify(options.url)}`,
    )
  }
  const client = new HttpClient({
    url: options.url,
    ...(options.token === undefined ? {} : { token: options.token }),
  })
  return {
    io,
    json: options.json === true,
    client,
    url: options.url,
    token: options.token,
    paint: paint(io.stdout.isTTY === true && !io.env.NO_COLOR),
    interactive: io.stdin.isTTY === true && io.stderr.isTTY === true,
    print: (text) => writeTo(io.stdout, text.endsWith('\n') ? text : `${text}\n`),
    printJson: (value) => writeTo(io.stdout, `${JSON.stringify(value)}\n`),
    note: (text) => writeTo(io.stderr, `${text}\n`),
    exitWith(code) {
      state.exitCode = code
    },
  }
}

/** Wraps a command's body, `(context, ...arguments, options)`, for commander. */
export type Action = <Values extends unknown[]>(
  body: (context: CommandContext, ...values: Values) => Promise<void>,
) => (...values: unknown[]) => Promise<void>

export function createAction(io: CommandIo, state: RunState): Action {
  return <Values extends unknown[]>(body: (context: CommandContext, ...values: Values) => Promise<void>) =>
    async (...values: unknown[]) => {
      // Commander's last argument is the command itself.
      const command = values.at(-1) as Command
      const context = createContext(io, command.optsWithGlobals() as GlobalOptions, state)
      await body(context, ...(values.slice(0, -1) as Values))
    }
}

/** Who asks, for the ledger: `--by`, else the user at this machine. */
export function operatorName(by: string | undefined): string {
  if (by !== undefined) return by
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return hostname()
  }
}
