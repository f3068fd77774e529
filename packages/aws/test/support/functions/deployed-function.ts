import {
  type FunctionProcess,
  type InvocationResult,
  type Invoke,
  ProcessFunction,
  type ProcessFunctionOptions,
} from '@eddy/testing/lambda'

const KEPT_CHARACTERS = 8_000

type End = 'ok' | (InvocationResult & { readonly ok: false })['kind']

/** A function in processes of its own, and what became of its invocations. */
export class DeployedFunction {
  readonly #function: ProcessFunction
  readonly #ends = new Map<End, number>()
  #output = ''
  #lastError = ''

  constructor(options: Omit<ProcessFunctionOptions, 'onOutput'>) {
    this.#function = new ProcessFunction({
      ...options,
      onOutput: (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-KEPT_CHARACTERS)
      },
    })
  }

  get arn(): string {
    return this.#function.arn
  }

  /** Those that live. */
  get processes(): readonly FunctionProcess[] {
    return this.#function.processes
  }

  /** The last that its processes wrote. */
  get output(): string {
    return this.#output
  }

  /** Invocations that ended so. */
  ends(end: End): number {
    return this.#ends.get(end) ?? 0
  }

  readonly invoke: Invoke = async (event) => {
    const result = await this.#function.invoke(event)
    const end = result.ok ? 'ok' : result.kind
    this.#ends.set(end, this.ends(end) + 1)
    if (!result.ok) this.#lastError = `${result.errorType}: ${result.errorMessage}`
    return result
  }

  /** How its invocations ended, with its last words. */
  toString(): string {
    const ends = JSON.stringify(Object.fromEntries(this.#ends))
    return `${this.#function.name} ${ends} ${this.#lastError}\n${this.#output}`
  }

  close(): Promise<void> {
    return this.#function.close()
  }
}
