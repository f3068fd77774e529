import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LambdaContext } from './call-handler.ts'
import { FunctionExit } from './lambda-function.ts'
import type { SandboxAnswer, SandboxCall } from './sandbox-messages.ts'

/** A process that runs a function, one invocation at a time. */
export interface FunctionProcess {
  readonly pid: number
  /** Of the function's processes, from 0 in the order of their starts. */
  readonly number: number
  /** An invocation is under way in it. */
  readonly isBusy: boolean
  /** Ends it as out of memory would, whatever it does; resolves when it is gone. */
  kill(): Promise<void>
}

export interface SandboxOptions {
  readonly file: string
  readonly exportName: string
  readonly number: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onOutput: (chunk: string) => void
  readonly onExit: () => void
}

/** Built, both for the sources and for what is built of them: a process starts from JavaScript. */
const MAIN = fileURLToPath(new URL('../../dist/lambda/sandbox-main.js', import.meta.url))
/** The function's own timer is first to tell of a timeout. */
const AFTER_TIMEOUT_MS = 50

interface Settle {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: Error) => void
}

export class SandboxProcess implements FunctionProcess {
  readonly number: number
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  #underWay: Settle | undefined

  constructor({ file, exportName, number, env, onOutput, onExit }: SandboxOptions) {
    this.number = number
    this.#child = fork(MAIN, [file, exportName], {
      env: { PATH: process.env.PATH, ...env },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const { stdout, stderr } = this.#child
    for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', onOutput)
    this.#child.on('message', (said: SandboxAnswer) => this.#onAnswer(said))
    // What cannot be sent to a process that is ending shows in its end.
    this.#child.on('error', () => {})
    this.#gone = once(this.#child, 'exit').then(() => {
      onExit()
      const { exitCode, signalCode } = this.#child
      const how = signalCode === null ? `exit status ${exitCode}` : `signal: ${signalCode}`
      this.#take()?.reject(new FunctionExit(`Runtime exited with error: ${how}`))
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get isBusy(): boolean {
    return this.#underWay !== undefined
  }

  /** @throws FunctionExit when the process ends first, and what the handler threw */
  async invoke(event: unknown, context: LambdaContext): Promise<unknown> {
    const { functionName, invokedFunctionArn, awsRequestId } = context
    const leftMs = context.getRemainingTimeInMillis()
    // What was timed out is reset: nothing of it goes on (Lambda developer guide, "Runtime environment lifecycle").
    const late = setTimeout(() => void this.kill(), leftMs + AFTER_TIMEOUT_MS)
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#underWay = { resolve, reject }
        const call: SandboxCall = { event, functionName, invokedFunctionArn, awsRequestId, leftMs }
        this.#child.send(call, () => {})
      })
    } finally {
      clearTimeout(late)
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  #onAnswer(said: SandboxAnswer): void {
    const underWay = this.#take()
    if ('payload' in said) underWay?.resolve(said.payload)
    else underWay?.reject(Object.assign(new Error(said.errorMessage), { name: said.errorType }))
  }

  #take(): Settle | undefined {
    const underWay = this.#underWay
    this.#underWay = undefined
    return underWay
  }
}
