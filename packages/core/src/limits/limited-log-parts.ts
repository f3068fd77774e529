import type { Clock } from '../ports/clock.ts'
import type { AppendEntry, Log, StreamInfo } from '../ports/log.ts'
import type { ShardBudgets } from './shard-budgets.ts'

export interface LimitedLogParts {
  /** Stores limits and faults with a stream and does not enforce them. */
  readonly log: Log
  readonly clock: Clock
  /** The stream as it now is; undefined when there is none. Asked at every call, so it costs a look into a map. */
  find(stream: string): StreamInfo | undefined
  /** The open shard that the entry would go to now; undefined when it names no place. */
  shardIdOf(stream: string, entry: AppendEntry): string | undefined
  /** Shared by all processes that write to the same log. Default: this one is alone. */
  readonly budgets?: ShardBudgets
}
