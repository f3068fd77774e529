import type { Logger, Operations } from '@eddy/core'
import type { Context } from 'hono'
import type { EventStreams } from './events/event-streams.ts'
import type { BodyBudget, BodyLease } from './http/body-budget.ts'
import type { ServerLimits } from './limits.ts'
import type { RouteDoc } from './openapi/route-doc.ts'

/** What every route works with. */
export interface ServerContext {
  readonly operations: Operations
  readonly logger: Logger
  readonly version: string
  readonly token: string | undefined
  readonly limits: ServerLimits
  readonly bodies: BodyBudget
  readonly eventStreams: EventStreams
  /** Aborts when the server begins to stop. */
  readonly stopping: AbortSignal
  /** The document at `/openapi.json`. */
  openApi(): object
}

/** The Node objects behind a request; absent when the app is called without a socket (`app.request`). */
export interface NodeBindings {
  readonly outgoing?: { destroy(): unknown }
}

export interface AppEnv {
  Bindings: NodeBindings
  Variables: {
    /** Pattern of the route that answers, for the access log. */
    route: string
    /** Set by a streamed answer: the access line is written when the stream ends. */
    streaming: boolean
    logAccess: (bytes: number | undefined) => void
  }
}

/** One request on its way through a route. */
export interface Call {
  readonly context: Context<AppEnv>
  readonly server: ServerContext
  /** Path parameters, percent-decoded. */
  readonly path: Readonly<Record<string, string>>
  /** Query parameters: only the documented ones, each once. */
  readonly query: Readonly<Record<string, string>>
  /** Memory for the body, given back when the route has answered. */
  readonly body: BodyLease
}

/** A route and its documentation stand together, so that the OpenAPI document cannot drift from the routes. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** In OpenAPI's form: `/v1/streams/{name}`. */
  readonly path: string
  /** `open` routes answer without the token. */
  readonly access: 'open' | 'token'
  /** `changes`: refused by a read-only server and for pages of other origins. */
  readonly effect: 'reads' | 'changes'
  /** Its body may ask for a dry run, which changes nothing: a read-only server reads it, and refuses what does not. */
  readonly hasDryRun?: true
  readonly doc: RouteDoc
  readonly handle: (call: Call) => Promise<Response> | Response
}
