/** What came of one invocation, as the service that invoked the function sees it. */
export type InvocationResult =
  | {
      readonly ok: true
      /** The function's answer after its way through JSON; `undefined` becomes null. */
      readonly payload: unknown
      readonly requestId: string
    }
  | {
      readonly ok: false
      /**
       * `error`: the handler threw. `timeout`: it did not answer in time. `exit`: its process ended. All three are function
       * errors. `throttled`: the function was not started at all.
       */
      readonly kind: 'error' | 'timeout' | 'exit' | 'throttled'
      readonly errorType: string
      readonly errorMessage: string
      readonly requestId: string
    }

/** Invokes a function with an event and tells what came of it; never rejects. */
export type Invoke = (event: unknown) => Promise<InvocationResult>
