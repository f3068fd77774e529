import type {
  AppendOptions,
  AppendOutcome,
  Engine,
  NewEvent,
  NewMessage,
  Operations,
  ProduceOptions,
  ProduceReport,
  QueueDefinition,
  Runtime,
  SendOutcome,
  StreamDefinition,
} from '@eddy/core'

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

/** @param setAddress - keeps where this process can be reached, for those who ask the engine */
export function eddyOf(runtime: Runtime, engine: Engine, setAddress: (url: string) => Promise<void>): Eddy {
  return {
    operations: runtime.operations,
    append: (stream, events, appendOptions) => runtime.append(stream, events, appendOptions),
    produce: (stream, events, produceOptions) => runtime.produce(stream, events, produceOptions),
    send: (queue, messages) => runtime.send(queue, messages),
    engine,
    streamsChanged: () => runtime.streamsChanged(),
    setAddress,
    close: async (closeOptions) => {
      await runtime.stop(closeOptions)
      await engine.close()
    },
  }
}
