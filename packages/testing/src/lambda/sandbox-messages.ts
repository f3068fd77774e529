/** To a sandbox's process: one invocation. */
export interface SandboxCall {
  readonly event: unknown
  readonly functionName: string
  readonly invokedFunctionArn: string
  readonly awsRequestId: string
  /** Milliseconds until the function's timeout. */
  readonly leftMs: number
}

/** Back from it: its module is loaded; what the handler answered, or threw. */
export type SandboxAnswer =
  | { readonly isReady: true }
  | { readonly payload: unknown }
  | { readonly errorType: string; readonly errorMessage: string }
