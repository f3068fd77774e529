import type { Notice, StreamDefinition } from '../model/app.ts'
import type { AppendMarks } from '../model/append-marks.ts'
import type { NewEvent } from '../model/event.ts'
import type { NewMessage, QueueDefinition, SendOutcome } from '../model/message.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import type { AppendOptions, AppendOutcome } from './operations.ts'

/** What operations stand on. */
export interface OperationsDeps {
  readonly engine: Engine
  /** The application's streams by name. */
  readonly streams: ReadonlyMap<string, StreamDefinition>
  /** The application's queues by name. */
  readonly queues: ReadonlyMap<string, QueueDefinition>
  /** The running subscriptions by name. */
  readonly subscriptions: ReadonlyMap<string, SubscriptionControl>
  readonly producer: {
    append(
      stream: string,
      events: readonly NewEvent[],
      options?: AppendOptions,
    ): Promise<readonly AppendOutcome[]>
    appendOnce(
      stream: string,
      events: readonly NewEvent[],
      marks?: AppendMarks,
    ): Promise<readonly AppendOutcome[]>
    send(queue: string, messages: readonly NewMessage[]): Promise<readonly SendOutcome[]>
  }
  readonly logger: Logger
  readonly readOnly: boolean
  /** Redrives are written down here and worked off by another process, which finds them with `resumeRedrives`. */
  readonly redrivesElsewhere?: boolean
  metrics(): string | Promise<string>
  ready(): boolean
  /** Calls the listener with every notice until the returned function is called. */
  notices(listener: (notice: Notice) => void): () => void
  /** Streams or shards came or went: starts and stops readers. */
  readonly onStreamsChanged?: () => Promise<void>
  readonly backup?: (target: string) => Promise<{ readonly bytes: number }>
}
