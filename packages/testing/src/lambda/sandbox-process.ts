import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Clock, randomUuid } from '@eddy/core'
import type { LambdaContext } from './call-handler.ts'
import type { InvocationResult } from './invocation.ts'
import { exited, FunctionExit, LambdaFunction } from './lambda-function.ts'
import type { SandboxAnswer, SandboxCall } from './sandbox-messages.ts'

/** A process that runs a function, one invocation at a time. */
export interface FunctionProcess {
  readonly pid: number
  /** Of the function's processes, from 0 in the order of their starts. */
  readonly number: number
  /** It starts, or an invocation is under way in it. */
  readonly isBusy: boolean
  /** Ends it as out of memory would, whatever it does; resolves when it is gone. */
  kill(): Promise<void>
}

export interface SandboxOptions {
  readonly clock: Clock
  readonly name: string
  readonly timeoutMs: number
  readonly file: string
  readonly exportName: string
  readonly number: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isFrozenBetween: boolean
  readonly onOutput: (chunk: string) => void
  readonly onExit: () => void
}

/** Built, both for the sources and for what is built of them: a process starts from JavaScript. */
const MAIN = fileURLToPath(new URL('../../dist/lambda/sandbox-main.js', import.meta.url))
/** The function's own timer is first to tell of a timeout. */
const AFTER_TIMEOUT_MS = 50
/** Loading a module is no part of an invocation's time. The service allows 10 s; a busy machine gets more. */
const INIT_MS = 60_000

interface Settle {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: Error) => void
}

/** A sandbox. Between invocations its process is stopped, as the service freezes it. */
export class SandboxProcess implements FunctionProcess {
  isBusy = false
  readonly #options: SandboxOptions
  readonly #function: LambdaFunction
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  /** True once the module is loaded; false when the process ended before. */
  readonly #isReady: Promise<boolean>
  #setReady: (isReady: boolean) => void = () => {}
  #underWay: Settle | undefined

  constructor(options: SandboxOptions) {
    this.#options = options
    const { clock, name, timeoutMs, file, exportName, env, onOutput, onExit } = options
    this.#function = new LambdaFunction({
      clock,
      name,
      timeoutMs,
      handler: (event: unknown, context: LambdaContext) => this.#handle(event, context),
    })
    this.#isReady = new Promise((resolve) => {
      this.#setReady = resolve
    })
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
    // With all that it wrote.
    this.#gone = once(this.#child, 'close').then(() => {
      onExit()
      this.#setReady(false)
      this.#take()?.reject(new FunctionExit(this.#howItEnded))
    })
  }

  get number(): number {
    return this.#options.number
  }

  get pid(): number {
    return this.#child.pid as number
  }

  async invoke(event: unknown): Promise<InvocationResult> {
    this.isBusy = true
    const starting = setTimeout(() => void this.kill(), INIT_MS)
    const isReady = await this.#isReady
    clearTimeout(starting)
    if (!isReady) return exited(this.#howItEnded, randomUuid(this.#options.clock))
    this.#child.kill('SIGCONT')
    const result = await this.#function.invoke(event)
    if (this.#options.isFrozenBetween && (result.ok || result.kind === 'error')) this.#child.kill('SIGSTOP')
    this.isBusy = false
    return result
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  /** @throws FunctionExit when the process ends first, and what the handler threw */
  async #handle(event: unknown, context: LambdaContext): Promise<unknown> {
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

  get #howItEnded(): string {
    const { exitCode, signalCode } = this.#child
    return `Runtime exited with error: ${signalCode === null ? `exit status ${exitCode}` : `signal: ${signalCode}`}`
  }

  #onAnswer(said: SandboxAnswer): void {
    if ('isReady' in said) {
      this.#setReady(true)
      return
    }
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
