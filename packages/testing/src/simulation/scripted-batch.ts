import { type BatchItem, failed, type ItemOutcome, outcome, succeeded } from '@eddy/core'
import type { Behaviour } from './scenario.ts'
import { behaviourOf, type HandlerWorld } from './scripted-handler.ts'
import type { StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

export interface BatchWorld extends HandlerWorld {
  readonly view: StoredView
  readonly blocks: 'nothing' | 'key' | 'shard'
}

/** An item at play. */
interface Playing {
  readonly item: BatchItem
  readonly call: number
  readonly behaviour: Behaviour
  readonly lane: string | undefined
}

/** Handles a batch as the scripts of its events say, and tells the history what of it counts. */
export async function scriptedBatch(
  world: BatchWorld,
  items: readonly BatchItem[],
): Promise<readonly ItemOutcome[]> {
  const { clock } = world.engine()
  const playing = begin(world, items)
  await clock.sleep(world.dice.int(20))
  if (world.isGone()) return await never()
  const does = (behaviour: Behaviour): boolean => playing.some((one) => one.behaviour === behaviour)
  const killer = playing.find(({ behaviour }) => behaviour === 'kill')
  if (killer !== undefined) {
    world.history.again.killed(killer.item.event.id)
    world.kill()
    return await never()
  }
  if (does('hang')) {
    await clock.sleep(world.timeoutMs)
    if (!world.isGone()) end(world, playing, () => true)
    return await never()
  }
  if (does('ok-late') || does('reject-late')) {
    await clock.sleep(world.timeoutMs + 1 + world.dice.int(500))
    if (world.isGone()) return await never()
    end(world, playing, () => true)
    world.rare.saw('lateHandler')
    return items.map(succeeded)
  }
  if (!world.isHealed() && world.dice.chance(0.04)) return failAsAWhole(world, playing)
  end(world, playing, ({ behaviour }) => behaviour !== 'ok')
  const outcomes = playing.flatMap((one) => outcomeOf(world, one))
  return world.dice.chance(0.3) ? outcomes.reverse() : outcomes
}

function begin(world: BatchWorld, items: readonly BatchItem[]): Playing[] {
  const before = new Set<string>()
  const positions = new Map<string, string>()
  return items.map((item) => {
    const { event, ctx } = item
    const lane = laneOf(world, item)
    const last = lane === undefined ? undefined : positions.get(lane)
    if (last !== undefined && last >= ctx.position)
      throw new Violation('I3', `${event.id} stands in a batch behind a later event of its lane`)
    if (lane !== undefined) positions.set(lane, ctx.position)
    const call = world.history.started(event.id, ctx, world.now(), before)
    before.add(event.id)
    const behaviour = world.isHealed() ? 'ok' : behaviourOf(world.eventOf(event.id), call)
    return { item, call, behaviour, lane }
  })
}

/** What counts of it: nothing behind the first failure of a lane, where that blocks. */
function end(world: BatchWorld, playing: readonly Playing[], hasFailed: (one: Playing) => boolean): void {
  const failedLanes = new Set<string>()
  for (const one of playing) {
    const { event } = one.item
    const isBlocked = one.lane !== undefined && failedLanes.has(one.lane)
    if (isBlocked) {
      world.rare.saw('discounted')
      world.history.discounted(event.id, one.call)
      continue
    }
    const failedNow = hasFailed(one)
    world.history.ended(event.id, one.call, failedNow ? 'failed' : 'ok')
    if (failedNow && one.lane !== undefined) failedLanes.add(one.lane)
  }
}

/** Undefined where no event waits for another. */
function laneOf({ blocks, view }: BatchWorld, { ctx }: BatchItem): string | undefined {
  if (blocks === 'nothing') return undefined
  if (blocks === 'shard') return ctx.shardId
  return view.recordAt(ctx.shardId, ctx.position.split('-')[0] as string)?.lane ?? ctx.key
}

/** A handler that throws, or says what cannot be relied on. */
function failAsAWhole(world: BatchWorld, playing: readonly Playing[]): readonly ItemOutcome[] {
  end(world, playing, () => true)
  world.rare.saw('batchFailed')
  if (world.dice.chance(0.5)) throw new Error('planned failure of a batch')
  return world.dice.pick<unknown>([undefined, [undefined], [{ id: 'nobody', ok: true }]]) as never
}

function outcomeOf(world: BatchWorld, { item, behaviour }: Playing): ItemOutcome[] {
  switch (behaviour) {
    case 'retry-after':
      return [failed(item, outcome.retryAfterMs(500))]
    case 'dead-letter':
      return [failed(item, outcome.deadLetter('planned'))]
    case 'drop':
      return [failed(item, outcome.drop('planned'))]
    case 'fail':
      // Some are left out.
      return world.dice.chance(0.2) ? [] : [failed(item, new Error(`planned failure of ${item.event.id}`))]
    default:
      return [succeeded(item)]
  }
}

/** Nobody sees any more what comes after. */
function never(): Promise<never> {
  return new Promise(() => {})
}
