import { AwsError } from '../aws-error.ts'

/*
 * The errors of the service: names, codes of the query protocol and statuses as the SDK's schemas have them
 * (@aws-sdk/client-sqs), texts as the service gives them.
 */

const QUERY_PREFIX = 'AWS.SimpleQueueService.'

/** An error whose query code is its name behind the service's prefix. */
export function prefixed(code: string, message: string, status = 400): AwsError {
  return new AwsError(code, message, { status, queryCode: `${QUERY_PREFIX}${code}` })
}

export function noSuchQueue(): AwsError {
  return new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', {
    queryCode: `${QUERY_PREFIX}NonExistentQueue`,
    queryMessage: 'The specified queue does not exist for this wsdl version.',
  })
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message, { queryCode: 'InvalidParameterValue' })
}

/** The usual text for a value that is out of its bounds. */
export function invalidValue(value: string | number, parameter: string, reason: string): AwsError {
  return invalidParameter(`Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`)
}

export function missingParameter(parameter: string): AwsError {
  return new AwsError(
    'MissingRequiredParameterException',
    `The request must contain the parameter ${parameter}.`,
    { queryCode: 'MissingParameter' },
  )
}

export function invalidAddress(url: string): AwsError {
  return new AwsError('InvalidAddress', `The address ${url} is not valid for this endpoint.`, { status: 404 })
}

export function unknownAttribute(name: string): AwsError {
  return new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`)
}

export function invalidAttribute(name: string, reason?: string): AwsError {
  const why = reason === undefined ? '' : ` Reason: ${reason}`
  return new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.${why}`)
}

export function invalidReceipt(): AwsError {
  return new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.', { status: 404 })
}

export function overLimit(message: string): AwsError {
  return new AwsError('OverLimit', message, { status: 403 })
}

export function noSuchResource(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 404 })
}

export function unsupported(message: string): AwsError {
  return prefixed('UnsupportedOperation', message)
}
