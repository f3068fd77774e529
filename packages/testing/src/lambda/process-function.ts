import type { Clock } from '@eddy/core'
import type { LambdaContext } from './call-handler.ts'
import type { Invoke } from './invocation.ts'
import { LambdaFunction } from './lambda-function.ts'
import { type FunctionProcess, SandboxProcess } from './sandbox-process.ts'

export type { FunctionProcess } from './sandbox-process.ts'

export interface ProcessFunctionOptions {
  /** The machine's: processes live in real time. */
  readonly clock: Clock
  /** The function's module, JavaScript. */
  readonly file: string
  /** Its export that handles events; default `handler`. */
  readonly exportName?: string
  /** Default `function`. */
  readonly name?: string
  /** 1 to 900,000 ms, as the service has it; default 3,000. The time that a process takes to load the module counts. */
  readonly timeoutMs?: number
  /** Processes, and so invocations, at a time; more are throttled. Default 10. */
  readonly reservedConcurrency?: number
  /** Of each process, besides PATH: it inherits nothing else. May depend on its number. */
  readonly env?: (number: number) => Readonly<Record<string, string>>
  /** What its processes write. */
  readonly onOutput?: (chunk: string) => void
}

/**
 * A function whose code runs in processes of its own, as in Lambda's sandboxes: one for each invocation at a time, kept for
 * later ones. What ends a process, from within or without, fails its invocation alone; what was timed out is killed.
 *
 * Rules: Lambda developer guide, "Understanding the Lambda execution environment lifecycle" and "Understanding Lambda function
 * scaling".
 */
export class ProcessFunction {
  readonly #options: ProcessFunctionOptions
  readonly #function: LambdaFunction
  readonly #processes = new Set<SandboxProcess>()
  #started = 0
  #isClosed = false

  constructor(options: ProcessFunctionOptions) {
    this.#options = options
    const { clock, name, timeoutMs, reservedConcurrency = 10 } = options
    this.#function = new LambdaFunction({
      clock,
      reservedConcurrency,
      ...(name !== undefined && { name }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      handler: (event: unknown, context: LambdaContext) => this.#handle(event, context),
    })
  }

  get name(): string {
    return this.#function.name
  }

  get arn(): string {
    return this.#function.arn
  }

  /** Times that a process was given an event. */
  get invocations(): number {
    return this.#function.invocations
  }

  /** Those that live. */
  get processes(): readonly FunctionProcess[] {
    return [...this.#processes]
  }

  /** Processes started so far. */
  get started(): number {
    return this.#started
  }

  readonly invoke: Invoke = (event) => this.#function.invoke(event)

  /** Ends all processes; invocations under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#processes].map((process) => process.kill()))
  }

  async #handle(event: unknown, context: LambdaContext): Promise<unknown> {
    if (this.#isClosed) throw new Error(`function ${this.name} is closed`)
    const idle = [...this.#processes].find(({ isBusy }) => !isBusy)
    return await (idle ?? this.#start()).invoke(event, context)
  }

  #start(): SandboxProcess {
    const { file, exportName = 'handler', env, onOutput = () => {} } = this.#options
    const number = this.#started
    this.#started += 1
    const process: SandboxProcess = new SandboxProcess({
      file,
      exportName,
      number,
      onOutput,
      env: { AWS_LAMBDA_FUNCTION_NAME: this.name, ...env?.(number) },
      onExit: () => this.#processes.delete(process),
    })
    this.#processes.add(process)
    return process
  }
}
