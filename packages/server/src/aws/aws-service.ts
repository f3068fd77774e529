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
 * One service of the endpoint: its operations by the name that the model gives them. An operation of the model that is
 * not in here answers as an unknown one. Inputs are checked against the model before an operation is called.
 */
export interface AwsService {
  readonly model: ServiceModel
  readonly operations: ReadonlyMap<string, AwsOperation>
}
