/**
 * The part of a service's model that the endpoint needs: which members an operation takes and gives, and their
 * constraints. Condensed from the official models by `scripts/service-models/condense.mjs`; newer members are added
 * there by hand, each with its source.
 */
export interface ServiceModel {
  /** `kinesis` or `sqs`: the service name in a signature's scope, and in ARNs. */
  readonly name: string
  readonly apiVersion: string
  /** `Kinesis_20131202`: what `X-Amz-Target` begins with. */
  readonly targetPrefix: string
  /** Version in the content type: `application/x-amz-json-1.1`. */
  readonly jsonVersion: '1.0' | '1.1'
  readonly operations: { readonly [name: string]: OperationModel }
  readonly shapes: { readonly [name: string]: Shape }
}

export interface OperationModel {
  /** Name of a structure; undefined: no members. */
  readonly input?: string
  readonly output?: string
}

export type Shape =
  | {
      readonly type: 'structure'
      readonly members: { readonly [name: string]: Member }
      readonly required?: readonly string[]
    }
  | { readonly type: 'list'; readonly member: Member; readonly min?: number; readonly max?: number }
  | {
      readonly type: 'map'
      readonly key: Member
      readonly value: Member
      readonly min?: number
      readonly max?: number
    }
  | {
      readonly type: 'string'
      readonly min?: number
      readonly max?: number
      readonly pattern?: string
      readonly enum?: readonly string[]
    }
  | {
      readonly type: 'integer' | 'long' | 'double'
      readonly min?: number
      readonly max?: number
    }
  | { readonly type: 'blob'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' | 'timestamp' }

export interface Member {
  readonly shape: string
  /** Name in the query protocol, where it differs, such as `Entry` for members of a flattened list. */
  readonly locationName?: string
  readonly flattened?: boolean
}
