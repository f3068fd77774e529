import { isThenable } from '@eddy/core'

/** The context object of the Node.js runtime. */
export interface LambdaContext {
  readonly functionName: string
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  readonly memoryLimitInMB: string
  readonly awsRequestId: string
  readonly logGroupName: string
  readonly logStreamName: string
  callbackWaitsForEmptyEventLoop: boolean
  getRemainingTimeInMillis(): number
  /** The three of the runtimes before Node.js 8. */
  done(error?: unknown, result?: unknown): void
  fail(error: unknown): void
  succeed(result?: unknown): void
}

export type LambdaCallback = (error?: unknown, result?: unknown) => void

/** Any handler: one that returns a promise, or one that calls back. */
export type LambdaHandler = (event: never, context: LambdaContext, callback: LambdaCallback) => unknown

/** What an invocation's context says, but for its functions. */
export type InvocationFacts = Pick<
  LambdaContext,
  'functionName' | 'invokedFunctionArn' | 'awsRequestId' | 'getRemainingTimeInMillis'
>

/** Calls a handler as the Node.js runtime does. Settles with its answer; a promise, a callback or a plain return. */
export function callHandler(
  handler: LambdaHandler,
  event: unknown,
  facts: InvocationFacts,
): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    const callback: LambdaCallback = (error, result) =>
      error === undefined || error === null ? resolve(result) : reject(error)
    try {
      const returned = handler(event as never, contextOf(facts, callback), callback)
      // A handler that takes no callback and returns no promise is done when it returns (Node.js runtime).
      if (isThenable(returned)) returned.then(resolve, reject)
      else if (handler.length < 3 && returned !== undefined) resolve(returned)
    } catch (error) {
      reject(error)
    }
  })
}

function contextOf(facts: InvocationFacts, callback: LambdaCallback): LambdaContext {
  const { functionName, invokedFunctionArn, awsRequestId, getRemainingTimeInMillis } = facts
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn,
    memoryLimitInMB: '128',
    awsRequestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `2026/01/01/[$LATEST]${awsRequestId.replaceAll('-', '')}`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis,
    done: callback,
    fail: (error) => callback(error ?? new Error('failed')),
    succeed: (result) => callback(undefined, result),
  }
}
