import type { LimitsOption } from '../model/resolve-limits.ts'
import type { ServiceFaults } from '../model/service-limits.ts'
import type { ShardInfo, StreamInfo, StreamSpec } from '../ports/log.ts'

export interface ShardStatus extends ShardInfo {
  readonly open: boolean
}

export interface StreamDetail extends StreamInfo {
  readonly shards: readonly ShardStatus[]
  readonly subscriptions: readonly string[]
}

export interface NewStream extends Partial<Omit<StreamSpec, 'limits'>> {
  readonly name: string
  readonly limits?: LimitsOption
}

/** What is left out stays as it is. */
export interface StreamChange {
  readonly limits?: LimitsOption
  /** All of them: those not named strike no more. */
  readonly faults?: ServiceFaults
}
