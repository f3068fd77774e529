import { type RunningServer, serve } from '@eddy/server'
import { isEddyError, type Operations } from 'eddy'

/** Of this example, as the server reports it. */
const VERSION = '0.1.0'
/** Ports tried after the wanted one. */
const MORE_PORTS = 9

/**
 * Serves on the wanted port of this machine, or on the next free one, and says so.
 *
 * @throws PortInUseError when the wanted port and the nine after it are taken
 */
export async function serveNear(operations: Operations, wanted: number): Promise<RunningServer> {
  for (let port = wanted; ; port++) {
    try {
      return await serve({ operations, host: '127.0.0.1', port, version: VERSION })
    } catch (error) {
      const taken = isEddyError(error) && error.code === 'EDDY_PORT_IN_USE'
      if (!taken || port >= wanted + MORE_PORTS) throw error
      console.error(`port ${port} is taken, trying ${port + 1}`)
    }
  }
}
