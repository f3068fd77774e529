/** What the stand-in needs of the official model: which members an operation takes, where they are, and their constraints. */
export interface ServiceModel {
  readonly name: string
  readonly apiVersion: string
  readonly operations: { readonly [name: string]: OperationModel }
  readonly shapes: { readonly [name: string]: Shape }
}

export interface OperationModel {
  readonly method: string
  /** `/schedules/{Name}` */
  readonly uri: string
  readonly input: string
  readonly output: string
}

export type Shape =
  | {
      readonly type: 'structure'
      readonly members: { readonly [name: string]: Member }
      readonly required?: readonly string[]
    }
  | { readonly type: 'list'; readonly member: Member; readonly min?: number; readonly max?: number }
  | { readonly type: 'map'; readonly key: Member; readonly value: Member }
  | {
      readonly type: 'string'
      readonly min?: number
      readonly max?: number
      readonly pattern?: string
      readonly enum?: readonly string[]
    }
  | { readonly type: 'integer' | 'long' | 'double' | 'float'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' | 'timestamp' }

export interface Member {
  readonly shape: string
  /** Undefined: in the body. */
  readonly location?: string
  readonly locationName?: string
}
