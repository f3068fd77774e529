import { InvalidOptionError } from '@eddy/core'
import type { HandlersOptions } from './handlers.ts'
import { type HttpEvent, type HttpResult, requestOf, resultOf } from './http-event.ts'
import type { OpenFunction } from './open-function.ts'

/** Anything that answers a request, such as a Hono app. */
export interface HttpApp {
  fetch(request: Request): Response | Promise<Response>
}

const VERSION = '0.1.0'

/** Routes are made once a process. */
const apps = new WeakMap<OpenFunction, HttpApp>()

/** @throws InvalidOptionError without `http`, or without a token: an API on the network has one */
export async function answer(
  opened: OpenFunction,
  options: HandlersOptions,
  event: HttpEvent,
): Promise<HttpResult> {
  let app = apps.get(opened)
  if (app === undefined) {
    app = makeApp(opened, options)
    apps.set(opened, app)
  }
  return await resultOf(await app.fetch(requestOf(event)))
}

function makeApp({ invocations, logger, env }: OpenFunction, options: HandlersOptions): HttpApp {
  const { http, token = env.EDDY_TOKEN } = options
  if (http === undefined)
    throw new InvalidOptionError(
      'http',
      'createApp of @eddy/server: handlers(app, { http: createApp })',
      http,
    )
  if (token === undefined || token === '')
    throw new InvalidOptionError('EDDY_TOKEN', 'the token that every request must bear', token)
  return http({ operations: invocations.operations, version: VERSION, token, logger })
}
