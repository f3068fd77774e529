import {
  type AppDefinition,
  type AppendOptions,
  type AppendOutcome,
  defineApp,
  type Engine,
  type Logger,
  type NewEvent,
  type NewMessage,
  type Operations,
  type ProduceOptions,
  type ProduceReport,
  type QueueDefinition,
  type SendOutcome,
  type StreamDefinition,
  startRuntime,
} from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
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

/** An application at work in this process. */
export interface Eddy {
  readonly operations: Operations
  /**
   * Appends events and resolves when what was accepted is durable.
   * @returns one outcome an event, in order; look at each
   */
  append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]>
  /**
   * Appends everything that a source gives, however long it is, as fast as the stream takes it, with bounded memory;
   * `options.onOutcome` is told every event's fate.
   * @throws ProduceError when the source, `onOutcome` or the stream as a whole failed, with the remainder;
   * InvalidOptionError
   */
  produce(
    stream: string | StreamDefinition,
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options?: ProduceOptions<NewEvent>,
  ): Promise<ProduceReport<NewEvent>>
  /**
   * Sends messages to a queue of the application and resolves when what was accepted is durable.
   * @returns one outcome a message, in order; look at each
   * @throws QueueNotFoundError
   */
  send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]>
  /** The ports that all of it stands on, for what else this process serves; open until `close`. */
  readonly engine: Engine
  /** For streams and shards that were changed through `engine`: subscriptions look at once. */
  streamsChanged(): Promise<void>
  /** Names where this process can be reached, once that is known. */
  setAddress(url: string): Promise<void>
  /** Finishes or gives back what is in flight within `timeoutMs` (default 25,000), saves checkpoints, closes the engine. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
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
    return {
      operations: runtime.operations,
      append: (stream, events, appendOptions) => runtime.append(stream, events, appendOptions),
      produce: (stream, events, produceOptions) => runtime.produce(stream, events, produceOptions),
      send: (queue, messages) => runtime.send(queue, messages),
      engine,
      streamsChanged: () => runtime.streamsChanged(),
      setAddress: (url) => engine.setAddress(url),
      close: async (closeOptions) => {
        await runtime.stop(closeOptions)
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}
