import { type AppDefinition, defineApp, type Logger, startRuntime } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { type Eddy, eddyOf } from './eddy.ts'
import { threadsOf } from './threads/threads-of.ts'

export interface OpenOptions {
  /** The folder that holds everything; made when it does not exist. One process at a time owns it. */
  readonly dataDir: string
  readonly logger?: Logger
  /** Refuse changes through `operations`; subscriptions run all the same. */
  readonly readOnly?: boolean
  /** Where this process can be reached, shown to a second one that wants the same folder. */
  readonly address?: string
  /**
   * The file that exports the application, as a path or `file:` URL. Subscriptions with `threads` need it: each of their
   * threads loads it. It must not open the application itself.
   */
  readonly appFile?: string | URL
}

/**
 * Opens the embedded engine and runs an application on it: streams, subscriptions, retries, all in this process.
 *
 * @throws InvalidOptionError when a subscription has `threads` and `appFile` is missing, or this is such a thread
 * @throws DataDirLockedError, DataDirForeignError, DataDirVersionError, StorageError, CorruptDataError
 */
export async function open(app: AppDefinition | undefined, options: OpenOptions): Promise<Eddy> {
  const { dataDir, logger, readOnly, address } = options
  const startThreads = threadsOf(app, options)
  const engine = await openEmbedded({
    dataDir,
    ...(logger !== undefined && { logger }),
    ...(address !== undefined && { address }),
  })
  try {
    const runtime = await startRuntime({
      engine,
      app: app ?? defineApp({ streams: [], subscriptions: [] }),
      ...(logger !== undefined && { logger }),
      ...(readOnly !== undefined && { readOnly }),
      startThreads,
      backup: (target) => engine.backup(target),
    })
    return eddyOf(runtime, engine, (url) => engine.setAddress(url))
  } catch (error) {
    await engine.close()
    throw error
  }
}
