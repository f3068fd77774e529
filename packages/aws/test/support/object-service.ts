import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { S3Client } from '@aws-sdk/client-s3'
import { s3Client } from '../../src/s3/index.ts'

export interface ObjectRequest {
  /** `PUT UploadPart`, `GET object`: as far as method and query tell. */
  readonly operation: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface ObjectAnswer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Cuts the connection when this many bytes of the body are out. */
  readonly cutAfterBytes?: number
}

export const s3Problem = (status: number, code: string): ObjectAnswer => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test says</Message></Error>`,
})

/** An object store that answers as a test says; `reset` takes the request and cuts the connection. */
export async function startObjectService(
  answer: (request: ObjectRequest) => ObjectAnswer | 'reset',
): Promise<{ readonly client: S3Client; readonly operations: string[]; close(): Promise<void> }> {
  const operations: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost')
      const operation = operationOf(request.method ?? '', query)
      operations.push(operation)
      const said = answer({ operation, path, query, headers: request.headers, body })
      if (said === 'reset') {
        request.socket.destroy()
        return
      }
      const { status, body: content = '', headers = {}, cutAfterBytes } = said
      response.writeHead(status, { 'content-length': Buffer.byteLength(content), ...headers })
      if (cutAfterBytes === undefined) response.end(content)
      else response.write(content.slice(0, cutAfterBytes), () => request.socket.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = s3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  return {
    client,
    operations,
    async close() {
      client.destroy()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function operationOf(method: string, query: URLSearchParams): string {
  if (query.has('uploads')) return 'CreateMultipartUpload'
  if (query.has('partNumber')) return `UploadPart ${query.get('partNumber')}`
  if (query.has('uploadId')) return method === 'DELETE' ? 'AbortMultipartUpload' : 'CompleteMultipartUpload'
  if (query.has('list-type')) return 'ListObjectsV2'
  return `${method} object`
}
