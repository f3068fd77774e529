import type { Server } from 'node:net'
import { InvalidOptionError, PortInUseError } from '@eddy/core'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** The option that named the port, for errors; default `--port`. */
  readonly portOption?: string
}

/**
 * Binds a server.
 *
 * @throws InvalidOptionError (EDDY_INVALID_OPTION) for an address that is not this machine's and for a port that is not
 * to be had
 * @throws PortInUseError (EDDY_PORT_IN_USE)
 */
export async function listen(server: Server, options: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => reject(listenError(error, options))
    server.once('error', refused)
    server.listen(options.port, options.host, () => {
      server.off('error', refused)
      resolve()
    })
  })
}

/** @throws InvalidOptionError (EDDY_INVALID_OPTION) */
export function requirePort(option: string, port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidOptionError(option, 'a port from 0 to 65535', port)
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function listenError(error: NodeJS.ErrnoException, { host, port, portOption }: ListenOptions): Error {
  if (error.code === 'EADDRINUSE') return new PortInUseError(host, port, portOption)
  if (error.code === 'EACCES')
    return new InvalidOptionError(portOption ?? '--port', 'a port that this user may open', port)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new InvalidOptionError('--host', 'an address of this machine', host)
  }
  return error
}
