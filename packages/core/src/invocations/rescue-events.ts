import { waitingItem } from '../fail/failed-event.ts'
import { laneId, laneName } from '../fail/lane.ts'
import { isFinal } from '../fail/ledger.ts'
import { writeInOrder } from '../fail/planned-write.ts'
import { itemToken, laneToken, type Token } from '../fail/tokens.ts'
import type { EventMeta } from '../handle/context.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { Invocation } from './invocation.ts'

/** An event whose batch a service gave up. */
export interface LostEvent {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
}

export interface RescueOptions {
  /** In words; stands in the ledger. */
  readonly note: string
  /** Later events may have been handled since: an event whose key is not held is late. */
  readonly mayBeLate: boolean
}

/** Lanes at a time (I6). One after another, a large batch takes longer than a function lives, and never comes to its end. */
const MAX_LANES = 16

/** What became of rescued events. */
export interface Rescued {
  /** They wait in the failure ledger, in their place. */
  readonly entered: number
  /** They wait there and are late: one attempt, with `ctx.outOfOrder`. */
  readonly late: number
  /** The ledger had them already. */
  readonly known: number
}

/**
 * Puts events that a service gave up into the failure ledger, under the subscription's rules for order (I2, I3): where
 * nothing of a key has gone by, the key is held from its first one on. Done again, it changes nothing.
 *
 * With `blocks: 'shard'` their keys are held: the reading of the shard waits once it meets one.
 */
export async function rescueEvents(
  invocation: Invocation,
  events: readonly LostEvent[],
  options: RescueOptions,
): Promise<Rescued> {
  const { parts } = invocation
  const { engine, stopping, logger, holds } = parts
  const lanes = byLane(events)
  await persist(engine.clock, stopping, logger, 'reading holds', () => holds.loadNamed([...lanes.keys()]))
  const counts = { entered: 0, late: 0, known: 0 }
  const waiting = lanes.values()
  const errors: unknown[] = []
  const work = async (): Promise<void> => {
    try {
      for (const lane of waiting)
        for (const event of lane) {
          if (errors.length > 0) return
          counts[await rescueOne(invocation, event, options)] += 1
        }
    } catch (error) {
      errors.push(error)
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_LANES, lanes.size) }, work))
  if (errors.length > 0) throw errors[0]
  return counts
}

function byLane(events: readonly LostEvent[]): ReadonlyMap<string, readonly LostEvent[]> {
  const lanes = new Map<string, LostEvent[]>()
  for (const event of events) {
    const name = laneName(event.meta)
    const lane = lanes.get(name)
    if (lane === undefined) lanes.set(name, [event])
    else lane.push(event)
  }
  return lanes
}

async function rescueOne(
  { parts, requeue, reading }: Invocation,
  event: LostEvent,
  { note, mayBeLate }: RescueOptions,
): Promise<keyof Rescued> {
  const { engine, ledger, holds, policy, tokens, stopping, logger, definition } = parts
  const { meta, bytes } = event
  const lane = laneId(engine, meta)
  const name = laneName(meta)
  const nowMs = engine.clock.now()
  const repeated = <T>(step: () => Promise<T>): Promise<T> =>
    persist(engine.clock, stopping, logger, 'rescuing an event', step)
  const send = (token: Token): Promise<void> => repeated(() => tokens.send(token, undefined))
  const waiting = { ...waitingItem(definition.name, lane, meta, bytes, nowMs), note }
  const due: LedgerItem = { ...waiting, status: 'retrying', dueAtMs: nowMs }
  for (;;) {
    const known = await ledger.get(lane, meta.position)
    if (known !== undefined) {
      // An earlier rescue may have ended between the item and its token.
      if (!isFinal(known.item) && known.item.parked !== true) await requeue.nudge(known.item)
      return 'known'
    }
    const hold = await holds.lookup(name)
    const isPast = hold !== undefined && meta.position < hold.hold.lo
    const isHeld = hold?.hold.state === 'held' && !isPast
    const isAlone = policy.failure.blocks === 'nothing' || isPast || (mayBeLate && !isHeld)
    if (isAlone) {
      const isLate = policy.failure.blocks !== 'nothing'
      const item: LedgerItem = isLate ? { ...due, outOfOrder: true } : due
      if (!(await repeated(() => ledger.create(lane, item, bytes))).ok) continue
      await send(itemToken(item))
      return isLate ? 'late' : 'entered'
    }
    const { epoch } = reading
    const place = { position: meta.position, laneId: lane, shardId: meta.shardId, epoch }
    const isInTail = isHeld && meta.position <= hold.hold.tail
    const entered = await repeated(async () => {
      const created = await ledger.planCreate(lane, isHeld ? waiting : due, bytes)
      if (isInTail) return await writeInOrder(engine.table, created)
      const held = isHeld
        ? holds.planExtend(name, hold, { tail: meta.position, shardId: meta.shardId, epoch })
        : holds.planHold(name, hold, meta, place)
      return await writeInOrder(engine.table, held, created)
    })
    if (entered.at(-1)?.ok !== true) continue
    await send(laneToken(meta))
    return 'entered'
  }
}
