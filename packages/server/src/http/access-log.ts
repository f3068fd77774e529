import type { MiddlewareHandler } from 'hono'
import type { AppEnv, ServerContext } from '../route.ts'

/** Routes that machines ask every few seconds. */
const QUIET = ['/healthz', '/readyz', '/metrics']

/**
 * One line a request: method, route pattern, status, milliseconds, bytes. Never addresses with their ids and queries,
 * headers or bodies. The line of a streamed answer is written when the stream ends.
 */
export function accessLog(server: ServerContext): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const startedMs = performance.now()
    context.set('route', 'none')
    let logged = false
    context.set('logAccess', (bytes) => {
      if (logged) return
      logged = true
      const route = context.get('route')
      const durationMs = Math.round((performance.now() - startedMs) * 10) / 10
      const fields = { method: context.req.method, route, status: context.res.status, durationMs }
      const level = QUIET.includes(route) ? 'debug' : 'info'
      server.logger[level](bytes === undefined ? fields : { ...fields, bytes }, 'request')
    })
    await next()
    const { headers } = context.res
    headers.set('x-content-type-options', 'nosniff')
    headers.set('cache-control', 'no-store')
    if (server.stopping.aborted) headers.set('connection', 'close')
    const length = headers.get('content-length')
    if (context.get('streaming') !== true)
      context.get('logAccess')(length === null ? undefined : Number(length))
  }
}
