import { type AwsRequest, headerOf } from './aws-request.ts'
import type { AwsService } from './aws-service.ts'
import { jsonProtocol } from './protocol/json-protocol.ts'
import { isForm, queryParameters } from './protocol/query-parameters.ts'
import { queryProtocol } from './protocol/query-protocol.ts'
import type { WireProtocol } from './protocol/wire-protocol.ts'

/** What a request asks for, as far as it says. */
export interface Route {
  readonly protocol: WireProtocol
  /** Undefined: no service that is here. */
  readonly service: AwsService | undefined
  /** As it was sent; whether it is served is for `callOperation`. */
  readonly operation: string
}

/**
 * By `X-Amz-Target` in JSON and CBOR, by `Action` in the query protocol.
 *
 * @returns undefined for what is no request to a service at all
 * @throws AwsError MalformedQueryString
 */
export async function routeRequest(
  services: readonly AwsService[],
  request: AwsRequest,
): Promise<Route | undefined> {
  const target = headerOf(request, 'x-amz-target')
  if (request.method === 'POST' && target !== undefined) {
    const protocol = await protocolOf(headerOf(request, 'content-type'))
    if (protocol === undefined) return undefined
    const dot = target.indexOf('.')
    const prefix = target.slice(0, Math.max(dot, 0))
    const service = services.find(({ model }) => model.targetPrefix === prefix)
    // Only Kinesis speaks CBOR.
    const spoken = protocol.name === 'cbor' && service?.model.name === 'sqs' ? undefined : service
    return { protocol, service: spoken, operation: target.slice(dot + 1) }
  }
  if (request.method !== 'GET' && !(request.method === 'POST' && isForm(request))) return undefined
  const action = queryParameters(request).get('Action')
  if (action === undefined) return undefined
  const service = services.find(({ model }) => model.name === 'sqs')
  return { protocol: queryProtocol, service, operation: action }
}

async function protocolOf(contentType: string | undefined): Promise<WireProtocol | undefined> {
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/x-amz-json-1.0':
    case 'application/x-amz-json-1.1':
      return jsonProtocol
    case 'application/x-amz-cbor-1.1':
      // Few clients speak it: loaded with the first one that does.
      return (await import('./protocol/cbor-protocol.ts')).cborProtocol
    default:
      return undefined
  }
}
