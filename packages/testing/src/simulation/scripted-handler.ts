import { type EddyEvent, type Engine, type HandlerContext, outcome } from '@eddy/core'
import type { Prng } from '../clock/prng.ts'
import type { History } from './history.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { Behaviour, ScriptedEvent } from './scenario.ts'

export interface HandlerWorld {
  readonly history: History
  readonly rare: RareEventCounts
  readonly dice: Prng
  readonly timeoutMs: number
  eventOf(id: string): ScriptedEvent | undefined
  /** No event fails any more. */
  isHealed(): boolean
  /** The process has been taken for dead: what its handlers do is not seen by anybody any more. */
  isGone(): boolean
  engine(): Engine
  now(): number
  kill(): void
}

/** A handler that does what the event's script says, and tells the history what it did. */
export async function scriptedHandler(
  world: HandlerWorld,
  event: EddyEvent,
  ctx: HandlerContext,
): Promise<void> {
  const { clock } = world.engine()
  const call = world.history.started(event.id, ctx, world.now())
  // An edited event has a new id; it plays no script.
  const scripted = world.eventOf(event.id)
  const behaviour = world.isHealed() ? 'ok' : behaviourOf(scripted, call)
  await clock.sleep(world.dice.int(20))
  if (world.isGone()) return await new Promise(() => {})
  if (ctx.signal.aborted) world.rare.saw('lateHandler')
  const failed = (): void => world.history.ended(event.id, call, 'failed')
  switch (behaviour) {
    case 'ok':
      world.history.ended(event.id, call, 'ok')
      return
    case 'fail':
      failed()
      throw new Error(`planned failure of ${event.id}`)
    case 'retry-after':
      failed()
      throw outcome.retryAfterMs(500)
    case 'dead-letter':
      failed()
      throw outcome.deadLetter('planned')
    case 'drop':
      failed()
      throw outcome.drop('planned')
    case 'kill':
      world.history.again.killed(event.id)
      world.kill()
      // The process is gone: nothing after this is seen by anybody.
      return await new Promise(() => {})
    case 'hang':
      // Counts as failed from when its time is up; it never looks at its signal and never comes back.
      await clock.sleep(world.timeoutMs)
      if (!world.isGone()) failed()
      return await new Promise(() => {})
    case 'ok-late':
    case 'reject-late':
      await clock.sleep(world.timeoutMs + 1 + world.dice.int(500))
      if (world.isGone()) return await new Promise(() => {})
      failed()
      world.rare.saw('lateHandler')
      if (behaviour === 'reject-late') throw new Error('late')
  }
}

/** What the nth call of the event's handler does. */
export function behaviourOf(event: ScriptedEvent | undefined, call: number): Behaviour {
  if (event === undefined) return 'ok'
  return event.script[call] ?? (event.alwaysFails ? 'fail' : 'ok')
}
