import type { ServiceModel } from './model/service-model.ts'

/**
 * A value of a request or an answer, between the wire and an operation: blobs are bytes and timestamps are `Date`s,
 * whatever the protocol makes of them.
 */
export type AwsValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Date
  | readonly AwsValue[]
  | { readonly [member: string]: AwsValue | undefined }

export type AwsStructure = { readonly [member: string]: AwsValue | undefined }

/** What an operation knows of its caller. */
export interface AwsCall {
  /** Aborts when the client has gone or the server stops: for long polls. */
  readonly signal: AbortSignal
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
  /** Scheme, host and port that the client used; queue URLs begin with it. */
  readonly baseUrl: string
}

/** @throws AwsError for every answer but success */
export type AwsOperation = (input: AwsStructure, call: AwsCall) => Promise<AwsStructure>

/**
 * An operation that takes the bytes of a JSON request and gives those of the answer, for the few where decoding by the
 * model would cost most of the time. It checks what it takes itself.
 *
 * @returns undefined, before anything was done: take the ordinary way, which also finds the words for what is wrong
 * @throws AwsError (by rejecting)
 */
export type RawOperation = (body: Uint8Array, call: AwsCall) => Promise<RawAnswer> | undefined

export interface RawAnswer {
  readonly body: Uint8Array
  /** Called once when nobody reads the body any more, if that is known: its buffer is written again then. */
  readonly release?: () => void
}

/**
 * One service of the endpoint: its operations by the name that the model gives them. An operation of the model that is
 * not in here answers as an unknown one. Inputs are checked against the model before an operation is called.
 */
export interface AwsService {
  readonly model: ServiceModel
  readonly operations: ReadonlyMap<string, AwsOperation>
  /** Faster ways of some of `operations`, which have to answer the same. */
  readonly rawOperations?: ReadonlyMap<string, RawOperation>
}
