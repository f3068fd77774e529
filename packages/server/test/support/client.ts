import { type AppOptions, createApp } from '../../src/index.ts'
import { expectDescribed } from './checked-answers.ts'
import { type FakeOperations, fakeOperations } from './fake-operations.ts'

export interface Client {
  readonly operations: FakeOperations
  /** Every answer is compared with the OpenAPI document. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
  /** The same, with the body read as JSON. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  ): Promise<{ status: number; headers: Headers; body: any }>
}

/** Calls the app without a socket. An object is sent as JSON, text and bytes as they are. */
export function client(
  options: Partial<Omit<AppOptions, 'operations'>> & { readonly operations?: FakeOperations } = {},
): Client {
  const operations = options.operations ?? fakeOperations()
  const app = createApp({ version: '0.0.0-test', ...options, operations })
  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const isPlain = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
    const init = {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: isPlain ? body : JSON.stringify(body), duplex: 'half' }),
    }
    const response = await app.request(path, init as RequestInit)
    const isStream = response.headers.get('content-type') === 'text/event-stream'
    const routePath = new URL(path, 'http://localhost').pathname
    if (!isStream) await expectDescribed(method, routePath, response.clone())
    return response
  }
  return {
    operations,
    send,
    async ask(...args) {
      const response = await send(...args)
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      }
    },
  }
}
