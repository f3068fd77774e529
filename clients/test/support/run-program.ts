import { execFile } from 'node:child_process'

/** More than any step of a tour takes, on a busy machine. */
const TIMEOUT_MS = 120_000
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

export interface Ended {
  /** Undefined when it was killed, as after two minutes. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end with nothing on its standard input. It never throws for how the program ended. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const options = { env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
      resolve({ status, stdout, stderr: status === undefined ? `${stderr}\n${error}` : stderr })
    })
    child.stdin?.end()
  })
}

/** The same for a program that must end well. @returns its standard output */
export async function runToSuccess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { status, stdout, stderr } = await runProgram(program, args, env)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}
