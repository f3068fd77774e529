import { type Clock, randomUuid } from '@eddy/core'
import type { InvocationResult, Invoke } from './invocation.ts'
import { throttled } from './lambda-function.ts'
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
  /** 1 to 900,000 ms, as the service has it; default 3,000. Counts once a process has loaded the module. */
  readonly timeoutMs?: number
  /** Processes, and so invocations, at a time; more are throttled. Default 10. */
  readonly reservedConcurrency?: number
  /** Of each process, besides PATH: it inherits nothing else. May depend on its number. */
  readonly env?: (number: number) => Readonly<Record<string, string>>
  /** Stop processes between invocations, as the service freezes them. Default true; where there are no signals, false. */
  readonly isFrozenBetween?: boolean
  /** What its processes write. */
  readonly onOutput?: (chunk: string) => void
}

const HAS_SIGNALS = process.platform !== 'win32'

/**
 * A function whose code runs in processes of its own, as in Lambda's sandboxes: one for each invocation at a time, kept for
 * later ones and stopped in between. What ends a process, from within or without, fails its invocation alone; what was timed
 * out is killed.
 *
 * Rules: Lambda developer guide, "Understanding the Lambda execution environment lifecycle" and "Understanding Lambda function
 * scaling".
 */
export class ProcessFunction {
  readonly name: string
  readonly arn: string
  readonly #options: ProcessFunctionOptions
  readonly #processes = new Set<SandboxProcess>()
  #started = 0
  #invocations = 0
  #isClosed = false

  constructor(options: ProcessFunctionOptions) {
    this.#options = options
    this.name = options.name ?? 'function'
    this.arn = `arn:aws:lambda:us-east-1:000000000000:function:${this.name}`
  }

  /** Times that a process was given an event. */
  get invocations(): number {
    return this.#invocations
  }

  /** Those that live. */
  get processes(): readonly FunctionProcess[] {
    return [...this.#processes]
  }

  /** Processes started so far. */
  get started(): number {
    return this.#started
  }

  readonly invoke: Invoke = async (event): Promise<InvocationResult> => {
    const { clock, reservedConcurrency = 10 } = this.#options
    const idle = [...this.#processes].find(({ isBusy }) => !isBusy)
    if (this.#isClosed || (idle === undefined && this.#processes.size >= reservedConcurrency))
      return throttled(randomUuid(clock))
    this.#invocations += 1
    return await (idle ?? this.#start()).invoke(event)
  }

  /** Ends all processes; invocations under way fail, and later ones are throttled. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#processes].map((process) => process.kill()))
  }

  #start(): SandboxProcess {
    const { clock, file, exportName = 'handler', timeoutMs = 3_000, env } = this.#options
    const { isFrozenBetween = HAS_SIGNALS, onOutput = () => {} } = this.#options
    const number = this.#started
    this.#started += 1
    const process: SandboxProcess = new SandboxProcess({
      ...{ clock, name: this.name, timeoutMs, file, exportName, number, isFrozenBetween, onOutput },
      env: { AWS_LAMBDA_FUNCTION_NAME: this.name, ...env?.(number) },
      onExit: () => this.#processes.delete(process),
    })
    this.#processes.add(process)
    return process
  }
}
