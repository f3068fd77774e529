import type { AwsError } from '../aws-error.ts'
import type { AwsStructure } from '../aws-service.ts'
import type { ServiceModel } from '../model/service-model.ts'

/** Errors of every service, which no model names. */
const CORAL_ERRORS = new Set([
  'InvalidParameterValueException',
  'MissingRequiredParameterException',
  'UnknownOperationException',
  'SerializationException',
  'InternalFailure',
  'ServiceUnavailable',
])

/** The document of an error in JSON and in CBOR. */
export function errorMembers(model: ServiceModel | undefined, error: AwsError): AwsStructure {
  const { code, message, members } = error
  // A wrong type is told under another name than every other error, as kinesalite found of the service.
  const messageName = code === 'SerializationException' && model?.name !== 'sqs' ? 'Message' : 'message'
  return { __type: typeName(model, code), ...(message !== '' && { [messageName]: message }), ...members }
}

/** Kinesis gives the bare name; SQS, which came to JSON later, the name with its namespace. */
function typeName(model: ServiceModel | undefined, code: string): string {
  if (model?.name !== 'sqs') return code
  return `${CORAL_ERRORS.has(code) ? 'com.amazon.coral.service' : 'com.amazonaws.sqs'}#${code}`
}

/**
 * The query protocol's code, by which clients know SQS errors. Newer ones ask for it (`x-amzn-query-mode`), the
 * JavaScript SDK v2 takes it without having asked.
 */
export function queryErrorHeader(model: ServiceModel | undefined, error: AwsError): Record<string, string> {
  if (model?.name !== 'sqs') return {}
  return { 'x-amzn-query-error': `${error.queryCode};${error.status >= 500 ? 'Receiver' : 'Sender'}` }
}
