import type { AwsError } from '../aws-error.ts'
import type { AwsAnswer, AwsRequest } from '../aws-request.ts'
import type { AwsStructure } from '../aws-service.ts'
import type { ServiceModel } from '../model/service-model.ts'

/** How requests and answers of one protocol are written. */
export interface WireProtocol {
  readonly name: 'json' | 'cbor' | 'query'
  /** @throws AwsError for what cannot be read as the operation's input */
  decode(model: ServiceModel, operation: string, request: AwsRequest): AwsStructure
  encode(model: ServiceModel, operation: string, output: AwsStructure, context: AnswerContext): AwsAnswer
  /** `model` is undefined when the request names no service that is here. */
  encodeError(model: ServiceModel | undefined, error: AwsError, context: AnswerContext): AwsAnswer
}

export interface AnswerContext {
  readonly request: AwsRequest
  readonly requestId: string
}
