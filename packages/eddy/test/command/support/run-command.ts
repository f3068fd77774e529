import { PassThrough, Readable } from 'node:stream'
import { InterruptedError } from '../../../src/command/command-errors.ts'
import type { CommandIo } from '../../../src/command/command-io.ts'
import { run } from '../../../src/command/run.ts'

export interface CommandRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly url?: string
  readonly stdin?: string | Buffer | Readable
  /** Answers on a terminal, one a question. Without: no terminal. */
  readonly answers?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly interrupt?: AbortController
  /** Called with all of stdout or stderr so far, whenever there is more. */
  readonly onOutput?: (text: string) => void
}

/** Runs a command line in this process, with streams of its own. */
export async function runCommand(argv: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  const output = { stdout: '', stderr: '' }
  const terminal = options.answers !== undefined
  const stdin = terminal ? new PassThrough() : inputOf(options.stdin ?? '')
  const answers = [...(options.answers ?? [])]
  const collect = (name: 'stdout' | 'stderr') => {
    const stream = new PassThrough()
    stream.on('data', (part: Buffer) => {
      output[name] += part.toString('utf8')
      options.onOutput?.(output[name])
      if (terminal && part.toString('utf8').endsWith('[y/N] ')) {
        ;(stdin as PassThrough).write(`${answers.shift() ?? ''}\n`)
      }
    })
    return stream
  }
  const interrupt = options.interrupt ?? new AbortController()
  const io: CommandIo = {
    stdin: Object.assign(stdin, { isTTY: terminal }),
    stdout: Object.assign(collect('stdout'), { isTTY: false }),
    stderr: Object.assign(collect('stderr'), { isTTY: terminal, columns: 100 }),
    env: options.env ?? {},
    signal: interrupt.signal,
  }
  const url = options.url === undefined ? [] : ['--url', options.url]
  const exitCode = await run([...argv, ...url], io)
  await new Promise((resolve) => setImmediate(resolve))
  return { exitCode, ...output }
}

export function interruptWith(controller: AbortController): void {
  controller.abort(new InterruptedError())
}

function inputOf(text: string | Buffer | Readable): Readable {
  return text instanceof Readable ? text : Readable.from([Buffer.from(text as string)])
}
