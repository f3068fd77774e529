import {
  type Logger,
  MethodNotAllowedError,
  type Operations,
  ReadOnlyError,
  RouteNotFoundError,
  silentLogger,
} from '@eddy/core'
import { type Context, Hono } from 'hono'
import { EventStreams } from './events/event-streams.ts'
import { accessLog } from './http/access-log.ts'
import { BodyBudget } from './http/body-budget.ts'
import { type Caller, requireLoopbackHost, requireSameOrigin, requireToken } from './http/guards.ts'
import { problemOf, problemResponse } from './http/problem.ts'
import { parseQuery } from './http/query.ts'
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts'
import { openApiDocument } from './openapi-document.ts'
import type { AppEnv, Route, ServerContext } from './route.ts'
import { routes } from './routes/routes.ts'

export interface AppOptions {
  readonly operations: Operations
  readonly version: string
  /** Required of every request but health checks. Without it only this machine's own programs are answered. */
  readonly token?: string
  readonly logger?: Logger
  readonly limits?: Partial<ServerLimits>
  /** Aborts when the server begins to stop: streams end, waiting reads return, connections close. */
  readonly stopping?: AbortSignal
}

/** The API as a Hono app, without a socket. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const server = serverContext(options)
  const app = new Hono<AppEnv>()
  app.use('*', accessLog(server))
  for (const route of routes) {
    app.on(route.method.toUpperCase(), honoPath(route.path), (context) => answer(route, server, context))
  }
  app.notFound((context) => notFound(server, context))
  app.onError((error) => problemResponse(problemOf(error, server.logger)))
  return app
}

function serverContext(options: AppOptions): ServerContext {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  return {
    operations: options.operations,
    version: options.version,
    token: options.token,
    logger: options.logger ?? silentLogger,
    limits,
    bodies: new BodyBudget(limits.maxPendingBodyBytes),
    eventStreams: new EventStreams(limits.maxEventStreams),
    stopping: options.stopping ?? new AbortController().signal,
    openApi: openApiDocument,
  }
}

/** Everything that may refuse a request comes before its body is read. */
async function answer(route: Route, server: ServerContext, context: Context<AppEnv>): Promise<Response> {
  context.set('route', route.path)
  admit(route, server, context)
  const known = (route.doc.parameters ?? []).filter((parameter) => parameter.in === 'query')
  const query = parseQuery(
    context.req.url,
    known.map((parameter) => parameter.name),
  )
  const body = server.bodies.lease()
  try {
    return await route.handle({ context, server, path: context.req.param(), query, body })
  } finally {
    body.release()
  }
}

function admit(
  route: Pick<Route, 'access' | 'effect' | 'hasDryRun' | 'doc'>,
  server: ServerContext,
  context: Context<AppEnv>,
): void {
  const caller = callerOf(context)
  if (server.token === undefined) {
    requireLoopbackHost(caller)
    if (route.effect === 'changes') requireSameOrigin(caller)
  } else if (route.access === 'token') {
    requireToken(caller, server.token)
  }
  if (route.effect === 'changes' && route.hasDryRun !== true && server.operations.readOnly) {
    throw new ReadOnlyError(route.doc.id)
  }
}

function notFound(server: ServerContext, context: Context<AppEnv>): Response {
  admit({ access: 'token', effect: 'reads', doc: UNKNOWN }, server, context)
  const allowed = routes.filter((route) => matches(route.path, context.req.path))
  const error =
    allowed.length === 0
      ? new RouteNotFoundError()
      : new MethodNotAllowedError(allowed.map((route) => route.method.toUpperCase()).join(', '))
  return problemResponse(problemOf(error, server.logger))
}

const UNKNOWN = { id: 'unknown', tag: 'server', summary: '', responses: {} }

function matches(pattern: string, path: string): boolean {
  const parts = path.split('/')
  const expected = pattern.split('/')
  return (
    parts.length === expected.length &&
    expected.every((part, index) => (part.startsWith('{') ? parts[index] !== '' : part === parts[index]))
  )
}

function callerOf(context: Context<AppEnv>): Caller {
  return {
    host: context.req.header('host') ?? new URL(context.req.url).host,
    authorization: context.req.header('authorization'),
    origin: context.req.header('origin'),
    fetchSite: context.req.header('sec-fetch-site'),
  }
}

/** `/v1/streams/{name}` → `/v1/streams/:name`. */
function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}
