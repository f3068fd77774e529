import { soleClaims } from '../../../src/fail/claims.ts'
import type { HoldWrite } from '../../../src/fail/hold.ts'
import { Holds } from '../../../src/fail/holds.ts'
import { failureId, keys } from '../../../src/fail/keys.ts'
import { LaneDrain } from '../../../src/fail/lane-drain.ts'
import { Ledger, type LedgerEntry } from '../../../src/fail/ledger.ts'
import { writeOne } from '../../../src/fail/planned-write.ts'
import { RetryPath } from '../../../src/fail/retry-path.ts'
import { Tokens } from '../../../src/fail/tokens.ts'
import type { LedgerItem } from '../../../src/model/ledger-item.ts'
import { type Position, positionOf } from '../../../src/model/position.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { SubscriptionMetrics } from '../../../src/observe/subscription-metrics.ts'
import type { SubscriptionParts } from '../../../src/runtime/subscription-parts.ts'
import { md5Hex, payloadOf, world } from '../../operate/support/fixture.ts'
import { SlowTable } from './slow-table.ts'

const SHARD = 'shardId-000000000000'
const LANE = md5Hex('a')

/** The key `a` of one subscription, whose events are numbers: its hold and its ledger, and nobody at work on them. */
export class OneKey {
  readonly parts: SubscriptionParts
  readonly table: SlowTable
  /** Bodies of the tokens that were sent. */
  readonly tokens: readonly string[]
  /** Timers that were taken back. */
  readonly cancelled: string[] = []
  /** What the retry queue says of itself. */
  depth = 0
  /** Events that the drain wanted to try. */
  readonly tried: string[] = []
  /** The stored checkpoint is past everything. */
  isPassed = false

  readonly #epochs = new Map<Holds, number>()

  constructor(epoch = 1) {
    const { engine: base, clock, tokens } = world()
    this.table = new SlowTable(clock)
    this.tokens = tokens
    const cancel = async (_queue: string, timer: string) => void this.cancelled.push(timer)
    const queue = Object.assign(base.queue, { depth: async () => this.depth, cancel })
    const engine = { ...base, queue, table: this.table }
    const sent = new Tokens(engine.queue, clock, 'billing')
    this.parts = {
      engine,
      claims: soleClaims(epoch),
      owner: { isShared: false },
      definition: { name: 'billing' },
      notify: () => {},
      policy: { failure: { blocks: 'key' } },
      ledger: new Ledger(engine, 'billing', 3_600_000, (item) => sent.cancel(item)),
      holds: new Holds(engine, 'billing', epoch),
      tokens: sent,
      metrics: new SubscriptionMetrics(),
      logger: silentLogger,
      stopping: new AbortController().signal,
      checkpointPassed: () => this.isPassed,
    } as unknown as SubscriptionParts
    this.#epochs.set(this.parts.holds, epoch)
  }

  /** Another owner of the same key. */
  holdsOf(epoch: number): Holds {
    const holds = new Holds(this.parts.engine, 'billing', epoch)
    this.#epochs.set(holds, epoch)
    return holds
  }

  /** Rules 3a and 4a: the key is held from one event to another, as its owner knows it. */
  async hold(from: number, to: number, holds: Holds = this.parts.holds): Promise<HoldWrite> {
    const epoch = this.#epochs.get(holds) as number
    const place = { position: at(from), laneId: LANE, shardId: SHARD, epoch }
    const held = await writeOne(this.table, holds.planHold('a', await holds.lookup('a'), { key: 'a' }, place))
    if (!held.ok || from === to) return held
    return await writeOne(
      this.table,
      holds.planExtend('a', held.entry, { tail: at(to), shardId: SHARD, epoch }),
    )
  }

  async enter(n: number, given: Partial<LedgerItem>): Promise<LedgerEntry> {
    const nowMs = this.parts.engine.clock.now()
    const item = {
      ...{ id: failureId('billing', LANE, at(n)), subscription: 'billing', stream: 'orders', shardId: SHARD },
      ...{
        sequenceNumber: String(n),
        position: at(n),
        key: 'a',
        eventId: `e${n}`,
        eventType: 'order.placed',
      },
      ...{ attempts: 1, deliveries: 1, history: [], redrives: [], payloadBytes: 0, status: 'held' as const },
      ...{ arrivedAtMs: nowMs, firstFailedAtMs: nowMs, updatedAtMs: nowMs, statusAtMs: nowMs },
      ...given,
    }
    const written = await this.parts.ledger.create(LANE, item, payloadOf(item))
    if (!written.ok) throw new Error(`e${n} is in the ledger already`)
    return written.entry
  }

  get lane(): string {
    return LANE
  }

  async item(n: number): Promise<LedgerItem | undefined> {
    return (await this.parts.ledger.get(LANE, at(n)))?.item
  }

  /** Where the key's ledger is, and its hold. */
  get partitions(): { readonly ledger: string; readonly hold: string } {
    return { ledger: keys.ledger('billing', LANE), hold: keys.hold('billing') }
  }

  /** Its attempts are noted and never made. */
  drain(): LaneDrain {
    const tryItem: RetryPath['tryItem'] = async ({ item }) => {
      this.tried.push(item.eventId)
      return { kind: 'wait', untilMs: 0 }
    }
    const path = new RetryPath(this.parts)
    const underWayUntilMs: RetryPath['underWayUntilMs'] = (item) => path.underWayUntilMs(item)
    return new LaneDrain(this.parts, { tryItem, underWayUntilMs } as RetryPath)
  }
}

export function at(n: number): Position {
  return positionOf(0, 0, String(1_000 + n))
}
