import { type Clock, randomUuid } from '@eddy/core'
import type { InvocationResult, Invoke } from './invocation.ts'
import { within } from './within.ts'

/** Attributes of a message in a function's dead-letter queue; the body is the event alone. */
export interface DeadLetterAttributes {
  readonly RequestID: { readonly dataType: 'String'; readonly stringValue: string }
  /** HTTP status. */
  readonly ErrorCode: { readonly dataType: 'Number'; readonly stringValue: string }
  /** The first 1 KB. */
  readonly ErrorMessage: { readonly dataType: 'String'; readonly stringValue: string }
}

export interface AsyncInvocationOptions {
  readonly clock: Clock
  readonly functionArn: string
  readonly invoke: Invoke
  /** 0 to 2; default 2: after one minute, then after two. */
  readonly maximumRetryAttempts?: number
  /** 60,000 to 21,600,000 ms; default six hours. */
  readonly maximumEventAgeMs?: number
  readonly deadLetterQueue?: (body: string, attributes: DeadLetterAttributes) => Promise<void> | void
  /** The record that a destination gets, as JSON text. */
  readonly onFailure?: (body: string) => Promise<void> | void
  readonly onSuccess?: (body: string) => Promise<void> | void
}

/** 1 MB, was 256 KB (client-lambda, InvokeRequest.Payload). */
const MAX_EVENT_BYTES = 1024 * 1024
const RETRY_WAITS_MS = [60_000, 120_000]
const MAX_ERROR_MESSAGE_CHARACTERS = 1_024
const THROTTLED_FIRST_MS = 1_000
const THROTTLED_MAX_MS = 300_000

/**
 * Lambda's queue for asynchronous invocations (guide, "How Lambda handles errors and retries with asynchronous
 * invocation"): function errors are retried twice, after one and two minutes; throttles for up to six hours, after 1 s to
 * 5 min; then the event goes to the dead-letter queue and to the failure destination.
 */
export class AsyncInvocations {
  readonly #options: AsyncInvocationOptions
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(options: AsyncInvocationOptions) {
    within('maximumRetryAttempts', options.maximumRetryAttempts ?? 2, 0, 2)
    within('maximumEventAgeMs', options.maximumEventAgeMs ?? 21_600_000, 60_000, 21_600_000)
    this.#options = options
  }

  /** Takes the event and returns the request id, as the service's 202 does. @throws RangeError over 1 MB */
  invoke(event: unknown): string {
    const body = JSON.stringify(event)
    if (Buffer.byteLength(body) > MAX_EVENT_BYTES) {
      throw new RangeError(
        `event: expected up to ${MAX_EVENT_BYTES} bytes, received ${Buffer.byteLength(body)}`,
      )
    }
    const requestId = randomUuid(this.#options.clock)
    const running: Promise<void> = this.#run(requestId, body).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return requestId
  }

  /** Events that are neither done nor given up. */
  get pending(): number {
    return this.#running.size
  }

  /** Starts nothing any more; resolves when what runs has ended. Pending events are dropped. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  async #run(requestId: string, body: string): Promise<void> {
    const { clock, invoke, maximumRetryAttempts = 2, maximumEventAgeMs = 21_600_000 } = this.#options
    const { signal } = this.#stopping
    const startedMs = clock.monotonicMs()
    let retries = 0
    let throttles = 0
    for (let invokeCount = 1; !signal.aborted; ) {
      const result = await invoke(JSON.parse(body))
      if (result.ok) return await this.#succeeded(requestId, body, result.payload, invokeCount)
      const isThrottled = result.kind === 'throttled'
      if (!isThrottled && retries >= maximumRetryAttempts) {
        return await this.#failed(requestId, body, result, invokeCount, 'RetriesExhausted')
      }
      const waitMs = isThrottled
        ? Math.min(THROTTLED_MAX_MS, THROTTLED_FIRST_MS * 2 ** throttles)
        : (RETRY_WAITS_MS[retries] as number)
      if (clock.monotonicMs() + waitMs - startedMs > maximumEventAgeMs) {
        return await this.#failed(requestId, body, result, invokeCount, 'EventAgeExceeded')
      }
      if (isThrottled) throttles += 1
      else {
        retries += 1
        invokeCount += 1
      }
      await clock.sleep(waitMs, signal)
    }
  }

  async #succeeded(requestId: string, body: string, payload: unknown, invokeCount: number): Promise<void> {
    await this.#options.onSuccess?.(
      JSON.stringify({
        ...this.#recordOf(requestId, body, 'Success', invokeCount),
        responseContext: { statusCode: 200, executedVersion: '$LATEST' },
        responsePayload: payload,
      }),
    )
  }

  async #failed(
    requestId: string,
    body: string,
    result: InvocationResult & { ok: false },
    invokeCount: number,
    condition: 'RetriesExhausted' | 'EventAgeExceeded',
  ): Promise<void> {
    const { deadLetterQueue, onFailure } = this.#options
    const { errorMessage, errorType, kind } = result
    const status = kind === 'throttled' ? 429 : 200
    await deadLetterQueue?.(body, {
      RequestID: { dataType: 'String', stringValue: requestId },
      ErrorCode: { dataType: 'Number', stringValue: String(status) },
      ErrorMessage: { dataType: 'String', stringValue: errorMessage.slice(0, MAX_ERROR_MESSAGE_CHARACTERS) },
    })
    await onFailure?.(
      JSON.stringify({
        ...this.#recordOf(requestId, body, condition, invokeCount),
        responseContext: { statusCode: status, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: { errorType, errorMessage },
      }),
    )
  }

  #recordOf(requestId: string, body: string, condition: string, invokeCount: number) {
    const { clock, functionArn } = this.#options
    return {
      version: '1.0',
      timestamp: new Date(clock.now()).toISOString(),
      requestContext: {
        requestId,
        functionArn: `${functionArn}:$LATEST`,
        condition,
        approximateInvokeCount: invokeCount,
      },
      requestPayload: JSON.parse(body) as unknown,
    }
  }
}
