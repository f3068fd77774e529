import { randomBytes, randomUUID } from 'node:crypto'
import type { Logger } from '@eddy/core'
import { AwsError } from './aws-error.ts'
import type { AwsAnswer, AwsRequest } from './aws-request.ts'
import type { AwsCall, AwsService } from './aws-service.ts'
import { callOperation, unknownOperation } from './call-operation.ts'
import { jsonAnswer } from './protocol/json-protocol.ts'
import { queryProtocol } from './protocol/query-protocol.ts'
import type { AnswerContext } from './protocol/wire-protocol.ts'
import { type Route, routeRequest } from './route-request.ts'
import type { SignatureCheck } from './sign/signature-check.ts'

export interface Endpoint {
  readonly services: readonly AwsService[]
  readonly logger: Logger
  /** Refuses every operation that is not a read. */
  readonly readOnly: boolean
  /** Undefined: no credentials are configured, and no signature is looked at. */
  readonly signatures?: SignatureCheck
}

/** Answers one request; nothing that it holds makes this reject. */
export async function answerRequest(
  endpoint: Endpoint,
  request: AwsRequest,
  call: AwsCall,
): Promise<AwsAnswer & { readonly operation: string }> {
  const context = { request, requestId: randomUUID() }
  const answer = await answerOf(endpoint, call, context)
  const { requestId } = context
  return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': requestId, 'x-amz-id-2': longId() } }
}

async function answerOf(endpoint: Endpoint, call: AwsCall, context: AnswerContext) {
  let route: Route | undefined
  try {
    route = await routeRequest(endpoint.services, context.request)
    if (route === undefined) return { ...NOT_A_REQUEST, operation: 'none' }
    return { ...(await answerRoute(endpoint, route, call, context)), operation: nameOf(route) }
  } catch (error) {
    const { protocol, service } = route ?? { protocol: queryProtocol }
    const refusal = error instanceof AwsError ? error : internalFailure(error, endpoint.logger, route)
    const operation = route === undefined ? 'none' : nameOf(route)
    return { ...protocol.encodeError(service?.model, refusal, context), operation }
  }
}

async function answerRoute(
  endpoint: Endpoint,
  route: Route,
  call: AwsCall,
  context: AnswerContext,
): Promise<AwsAnswer> {
  const { protocol, service, operation } = route
  const { request } = context
  if (service === undefined) throw unknownOperation(operation)
  endpoint.signatures?.verify(request, service.model.name)
  if (endpoint.readOnly && isServed(route) && !/^(Get|List|Describe)/.test(operation))
    throw readOnly(operation)
  const raw =
    protocol.name === 'json' ? service.rawOperations?.get(operation)?.(request.body, call) : undefined
  if (raw !== undefined) {
    const { body, release } = await raw
    return { ...jsonAnswer(200, body, context), ...(release !== undefined && { release }) }
  }
  if (!isServed(route)) throw unknownOperation(operation)
  const input = protocol.decode(service.model, operation, request)
  return protocol.encode(
    service.model,
    operation,
    await callOperation(service, operation, input, call),
    context,
  )
}

function isServed({ service, operation }: Route): boolean {
  return service?.operations.has(operation) === true
}

/** For the log: never a text of the client's. */
function nameOf(route: Route): string {
  return isServed(route) ? `${route.service?.model.name}.${route.operation}` : 'unknown'
}

function readOnly(operation: string): AwsError {
  return new AwsError(
    'AccessDeniedException',
    `${operation} changes something, and this endpoint was started with --read-only.`,
    { queryCode: 'AccessDenied', queryStatus: 403 },
  )
}

function internalFailure(error: unknown, logger: Logger, route: Route | undefined): AwsError {
  logger.error({ error, operation: route === undefined ? 'none' : nameOf(route) }, 'AWS endpoint: failed')
  return new AwsError('InternalFailure', 'The request processing has failed because of an unknown error.', {
    status: 500,
  })
}

/** What the service says to a request that no service can be told from. */
const NOT_A_REQUEST: AwsAnswer = {
  status: 403,
  headers: { 'content-type': 'application/xml' },
  body: '<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n',
}

const LONG_ID_BYTES = 72

function longId(): string {
  return randomBytes(LONG_ID_BYTES).toString('base64')
}
