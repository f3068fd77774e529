import { createHash, timingSafeEqual } from 'node:crypto'
import { ForbiddenRequestError, UnauthorizedError } from '@eddy/core'
import { isLoopbackHost } from './loopback.ts'

/** The headers of a request that say who asks. */
export interface Caller {
  readonly host: string
  readonly authorization: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
}

/**
 * Compares in constant time.
 *
 * @throws UnauthorizedError (EDDY_UNAUTHORIZED)
 */
export function requireToken(caller: Caller, token: string): void {
  if (caller.authorization === undefined) throw new UnauthorizedError('this server requires a token')
  const sent = /^Bearer +(\S+) *$/i.exec(caller.authorization)?.[1]
  if (sent === undefined) throw new UnauthorizedError('the authorization header holds no bearer token')
  if (!timingSafeEqual(digest(sent), digest(token))) throw new UnauthorizedError('the token is not right')
}

/**
 * A server without a token answers this machine's names only: a page can point a name of its own at 127.0.0.1 (DNS
 * rebinding), and the browser then takes this server for that page's origin.
 *
 * @throws ForbiddenRequestError (EDDY_FORBIDDEN)
 */
export function requireLoopbackHost(caller: Caller): void {
  if (!isLoopbackHost(hostName(caller.host))) {
    throw new ForbiddenRequestError('the request names a host other than this machine')
  }
}

/**
 * Refuses what a browser sends on behalf of a page of another origin.
 *
 * @throws ForbiddenRequestError (EDDY_FORBIDDEN)
 */
export function requireSameOrigin(caller: Caller): void {
  const { fetchSite, origin } = caller
  const foreignSite = fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none'
  const foreignOrigin = origin !== undefined && origin.toLowerCase() !== `http://${caller.host.toLowerCase()}`
  if (foreignSite || foreignOrigin) {
    throw new ForbiddenRequestError('a page of another origin may not change anything here')
  }
}

/** `[::1]:4010` → `::1`. */
function hostName(host: string): string {
  return /^\[([^\]]*)\](:\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d*$/, '')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
