import type { AwsError } from '../aws-error.ts'
import type { AwsAnswer, AwsRequest } from '../aws-request.ts'
import type { AwsStructure } from '../aws-service.ts'
import type { ServiceModel } from '../model/service-model.ts'
import { decodeQuery } from './decode-query.ts'
import { encodeXml, xmlText } from './encode-xml.ts'
import { pathOf, queryParameters } from './query-parameters.ts'
import type { WireProtocol } from './wire-protocol.ts'

const NAMESPACE = 'http://queue.amazonaws.com/doc/2012-11-05/'

/** SQS as it has been since 2012: form parameters one way, XML the other. */
export const queryProtocol: WireProtocol = {
  name: 'query',
  decode: decodeRequest,
  encode(model, operation, output, { requestId }) {
    const shapeName = model.operations[operation]?.output
    const result =
      shapeName === undefined
        ? ''
        : `<${operation}Result>${encodeXml(model, shapeName, output)}</${operation}Result>`
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
    return xmlAnswer(
      200,
      `<${operation}Response xmlns="${NAMESPACE}">${result}${metadata}</${operation}Response>`,
    )
  },
  encodeError: (_model, error, { requestId }) =>
    xmlAnswer(error.queryStatus, errorDocument(error, requestId)),
}

/** A request to the address of a queue need not name it again. */
function decodeRequest(model: ServiceModel, operation: string, request: AwsRequest): AwsStructure {
  const input = decodeQuery(model, operation, queryParameters(request))
  const shape = model.shapes[model.operations[operation]?.input ?? '']
  const path = pathOf(request.target)
  if (shape?.type !== 'structure' || !('QueueUrl' in shape.members) || input.QueueUrl !== undefined)
    return input
  return /^\/\d{12}\/[^/]+$/.test(path)
    ? { ...input, QueueUrl: `http://${String(request.headers.host)}${path}` }
    : input
}

function errorDocument({ queryCode, queryStatus, queryMessage }: AwsError, requestId: string): string {
  const type = queryStatus >= 500 ? 'Receiver' : 'Sender'
  const error = `<Error><Type>${type}</Type><Code>${xmlText(queryCode)}</Code><Message>${xmlText(queryMessage)}</Message><Detail/></Error>`
  return `<ErrorResponse xmlns="${NAMESPACE}">${error}<RequestId>${requestId}</RequestId></ErrorResponse>`
}

function xmlAnswer(status: number, document: string): AwsAnswer {
  return { status, headers: { 'content-type': 'text/xml' }, body: `<?xml version="1.0"?>${document}` }
}
