import { type Logger, silentLogger } from '@eddy/core'
import { answerRequest, type Endpoint } from '../../../src/aws/answer-request.ts'
import type { AwsRequest } from '../../../src/aws/aws-request.ts'
import type { AwsService } from '../../../src/aws/aws-service.ts'

export interface Asked {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly text: string
}

export interface AskOptions extends Partial<Omit<Endpoint, 'services'>> {
  readonly logger?: Logger
  readonly signal?: AbortSignal
}

/** Answers requests without a socket. */
export function asker(services: readonly AwsService[], { signal, ...rest }: AskOptions = {}) {
  const endpoint = { services, logger: silentLogger, readOnly: false, ...rest }
  const call = {
    signal: signal ?? new AbortController().signal,
    region: 'us-east-1',
    accountId: '000000000000',
    baseUrl: 'http://localhost:4566',
  }
  return async (request: Partial<AwsRequest>): Promise<Asked> => {
    const whole: AwsRequest = {
      method: 'POST',
      target: '/',
      body: new Uint8Array(0),
      ...request,
      headers: { host: 'localhost:4566', ...request.headers },
    }
    const { status, headers, body } = await answerRequest(endpoint, whole, call)
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    return { status, headers, bytes, text: new TextDecoder().decode(bytes) }
  }
}

export function jsonRequest(target: string, body: unknown, version = '1.1'): Partial<AwsRequest> {
  return {
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target },
    body:
      typeof body === 'string'
        ? new TextEncoder().encode(body)
        : new TextEncoder().encode(JSON.stringify(body)),
  }
}

export function cborRequest(target: string, body: Uint8Array): Partial<AwsRequest> {
  return { headers: { 'content-type': 'application/x-amz-cbor-1.1', 'x-amz-target': target }, body }
}

export function formRequest(form: string, path = '/'): Partial<AwsRequest> {
  return {
    target: path,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: new TextEncoder().encode(form),
  }
}
