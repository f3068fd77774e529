import { fileURLToPath } from 'node:url'
import { workerData } from 'node:worker_threads'
import {
  type AppDefinition,
  type HandlerThreads,
  InvalidOptionError,
  type Logger,
  type SubscriptionDefinition,
  silentLogger,
} from '@eddy/core'
import type { ThreadSetup } from './messages.ts'
import { ThreadPool } from './thread-pool.ts'

/**
 * How the threads of an application's subscriptions are started.
 *
 * @throws InvalidOptionError when they cannot be: the application's file is not known, or it opens the application
 */
export function threadsOf(
  app: AppDefinition | undefined,
  options: { readonly appFile?: string | URL; readonly logger?: Logger },
): (subscription: SubscriptionDefinition) => Promise<HandlerThreads> {
  refuseInThread()
  const { appFile, logger = silentLogger } = options
  const threaded = app?.subscriptions.find(({ threads }) => threads > 0)
  if (threaded !== undefined && appFile === undefined) {
    throw new InvalidOptionError(
      'appFile',
      `the file that exports the application, since subscription "${threaded.name}" has threads and each loads it`,
      appFile,
    )
  }
  const path = appFile === undefined ? '' : pathOf(appFile)
  return ({ name, threads }) => ThreadPool.start({ appFile: path, subscription: name, threads, logger })
}

/** Else each thread would find the data directory in use, by this very process. */
function refuseInThread(): void {
  const setup = workerData as Partial<ThreadSetup> | null
  if (!(setup?.memory instanceof SharedArrayBuffer) || setup.appFile === undefined) return
  throw new InvalidOptionError(
    'appFile',
    'a file that only defines the application: call open() in another file',
    `${setup.appFile}, which calls open() when a handler thread loads it`,
  )
}

function pathOf(appFile: string | URL): string {
  return appFile instanceof URL || appFile.startsWith('file:') ? fileURLToPath(appFile) : appFile
}
