import type { CrashMarker } from '../consume/crash-marker.ts'
import type { ShardReaders } from '../consume/shard-readers.ts'
import type { HandlerThreads } from '../handle/handler-threads.ts'
import type { Owner } from '../lease/owner.ts'
import type { Notice, SubscriptionDefinition } from '../model/app.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { Producer } from '../produce/producer.ts'
import type { Sender } from '../produce/sender.ts'
import type { Mutex } from './mutex.ts'

/** What a running subscription stands on. */
export interface SubscriptionRunnerOptions {
  readonly definition: SubscriptionDefinition
  readonly engine: Engine
  readonly owner: Owner
  readonly readers: ShardReaders
  readonly producer: Producer
  readonly sender: Sender
  readonly suspects: Mutex
  readonly crashMarker: CrashMarker
  readonly logger: Logger
  readonly notify: (notice: Notice) => void
  readonly threads: HandlerThreads | undefined
}
