import { type Clock, randomUuid } from '@eddy/core'
import { callHandler, type LambdaHandler } from './call-handler.ts'
import type { InvocationResult } from './invocation.ts'

export interface LambdaFunctionOptions {
  readonly clock: Clock
  readonly handler: LambdaHandler
  /** Default `function`. */
  readonly name?: string
  /** 1 to 900,000 ms, as the service has it; default 3,000. */
  readonly timeoutMs?: number
  /** Invocations at a time; more are throttled. Default: no limit. 0 throttles all. */
  readonly reservedConcurrency?: number
}

/** Throw it in a handler to play the end of its process: an exit, a crash, out of memory. */
export class FunctionExit extends Error {
  constructor(message = 'Runtime exited with error: exit status 1') {
    super(message)
    this.name = 'FunctionExit'
  }
}

/** A synchronous response is at most 6 MB (Lambda quotas, "Invocation payload (request and response)"). */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024
const ACCOUNT_ID = '000000000000'

/**
 * One function as Lambda runs it: events and answers go through JSON, time is limited, concurrency may be. A handler
 * that was timed out goes on running beside the next invocation, which a frozen sandbox may do too once it is thawed.
 */
export class LambdaFunction {
  readonly name: string
  readonly arn: string
  readonly #options: LambdaFunctionOptions
  readonly #timeoutMs: number
  #running = 0
  #invocations = 0

  constructor(options: LambdaFunctionOptions) {
    this.#options = options
    this.name = options.name ?? 'function'
    this.arn = `arn:aws:lambda:us-east-1:${ACCOUNT_ID}:function:${this.name}`
    this.#timeoutMs = options.timeoutMs ?? 3_000
    if (!(this.#timeoutMs >= 1 && this.#timeoutMs <= 900_000)) {
      throw new RangeError(`timeoutMs: expected 1 to 900000 milliseconds, received ${this.#timeoutMs}`)
    }
  }

  /** Times that the handler was called. */
  get invocations(): number {
    return this.#invocations
  }

  /** Invokes the function once and waits for what comes of it. */
  readonly invoke = async (event: unknown): Promise<InvocationResult> => {
    const { clock, reservedConcurrency } = this.#options
    const requestId = randomUuid(clock)
    if (this.#running >= (reservedConcurrency ?? Number.POSITIVE_INFINITY)) return throttled(requestId)
    this.#running += 1
    this.#invocations += 1
    try {
      const payload = throughJson(await this.#within(JSON.parse(JSON.stringify(event)), requestId))
      const bytes = Buffer.byteLength(JSON.stringify(payload))
      if (bytes > MAX_RESPONSE_BYTES) {
        const message = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`
        return failed('error', 'Function.ResponseSizeTooLarge', message, requestId)
      }
      return { ok: true, payload, requestId }
    } catch (error) {
      if (error instanceof TimedOut) return failed('timeout', 'Sandbox.Timedout', error.message, requestId)
      if (error instanceof FunctionExit) return exited(error.message, requestId)
      return failed('error', typeOf(error), messageOf(error), requestId)
    } finally {
      this.#running -= 1
    }
  }

  #within(event: unknown, requestId: string): Promise<unknown> {
    const { clock, handler } = this.#options
    const deadlineMs = clock.monotonicMs() + this.#timeoutMs
    const over = new AbortController()
    const seconds = (this.#timeoutMs / 1_000).toFixed(2)
    const late = clock.sleep(this.#timeoutMs, over.signal).then(() => {
      throw new TimedOut(`${requestId} Task timed out after ${seconds} seconds`)
    })
    const answered = callHandler(handler, event, {
      functionName: this.name,
      invokedFunctionArn: this.arn,
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, Math.round(deadlineMs - clock.monotonicMs())),
    })
    // The one that comes too late is nobody's.
    late.catch(() => {})
    answered.catch(() => {})
    return Promise.race([answered, late]).finally(() => over.abort())
  }
}

class TimedOut extends Error {}

/** Of an invocation for which there is no room. */
export function throttled(requestId: string): InvocationResult {
  return failed('throttled', 'TooManyRequestsException', 'Rate Exceeded.', requestId)
}

/** Of an invocation whose process ended. */
export function exited(errorMessage: string, requestId: string): InvocationResult {
  return failed('exit', 'Runtime.ExitError', errorMessage, requestId)
}

function failed(
  kind: 'error' | 'timeout' | 'exit' | 'throttled',
  errorType: string,
  errorMessage: string,
  requestId: string,
): InvocationResult {
  return { ok: false, kind, errorType, errorMessage, requestId }
}

function throughJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value))
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
