import type { EventMarker } from '../consume/crash-marker.ts'
import type { Slots } from '../consume/slots.ts'
import type { Claims } from '../fail/claims.ts'
import type { Holds } from '../fail/holds.ts'
import type { Ledger } from '../fail/ledger.ts'
import type { Tokens } from '../fail/tokens.ts'
import type { HandlerRunner } from '../handle/handler-runner.ts'
import type { Owner } from '../lease/owner.ts'
import type { Notice, SubscriptionDefinition } from '../model/app.ts'
import type { Position } from '../model/position.ts'
import type { Logger } from '../observe/logger.ts'
import type { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import type { Engine } from '../ports/engine.ts'
import type { Protection } from '../protect/protection.ts'
import type { CurrentPolicy } from './current-policy.ts'
import type { Mutex } from './mutex.ts'
import type { PauseGate } from './pause-gate.ts'

/** What the phases of one running subscription share. */
export interface SubscriptionParts {
  readonly definition: SubscriptionDefinition
  readonly policy: CurrentPolicy
  readonly engine: Engine
  readonly owner: Owner
  /** Of failed events that are tried again. */
  readonly claims: Claims
  readonly ledger: Ledger
  readonly holds: Holds
  readonly tokens: Tokens
  readonly runner: HandlerRunner
  readonly slots: Slots
  readonly protection: Protection
  readonly metrics: SubscriptionMetrics
  readonly logger: Logger
  readonly notify: (notice: Notice) => void
  /** Aborted when the subscription stops: storage steps are not repeated any more, waits end. */
  readonly stopping: AbortSignal
  /** Events that may have killed the process run one at a time, over all subscriptions. */
  readonly suspects: Mutex
  readonly crashMarker: EventMarker
  readonly pause: PauseGate
  /**
   * True when the durable checkpoint of the shard (or of its descendants) is past the position: nobody brings its event
   * any more.
   * @param sinceMs - when the position was written, or later: for who knows no checkpoint, but how long records come
   */
  readonly checkpointPassed: (
    shardId: string,
    position: Position,
    sinceMs: number,
  ) => boolean | Promise<boolean>
}
