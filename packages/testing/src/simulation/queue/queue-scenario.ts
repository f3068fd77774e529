import { Prng } from '../../clock/prng.ts'

export type TaskBehaviour = 'ok' | 'fail' | 'hang' | 'late' | 'dead-letter' | 'kill'

export interface ScriptedTask {
  readonly id: string
  readonly group: string
  readonly delayMs: number
  /** What the nth call of the handler for it does; further calls succeed. */
  readonly script: readonly TaskBehaviour[]
}

export type QueueAction =
  | { readonly kind: 'send'; readonly tasks: readonly ScriptedTask[] }
  | { readonly kind: 'crash' | 'stop' | 'pause' | 'purge' }
  | { readonly kind: 'crash-at-call'; readonly inCalls: number }

export interface QueueScenario {
  readonly seed: number
  readonly isGrouped: boolean
  readonly blocks: 'nothing' | 'key'
  readonly exhausted: 'dead-letter' | 'dead-letter-key' | 'hold' | 'drop'
  readonly concurrency: number
  readonly immediate: number
  readonly maxAttempts: number
  readonly delayMs: number
  readonly timeoutMs: number
  readonly maxBufferedRecords: number
  readonly isBatch: boolean
  readonly isRough: boolean
  readonly actions: readonly { readonly atMs: number; readonly action: QueueAction }[]
}

const LENGTH_MS = 30_000
const GROUPS = ['a', 'b', 'c', 'd']

/** What one seed plays with a queue. */
export function queueScenarioOf(seed: number): QueueScenario {
  const dice = new Prng(`queue/${seed}`)
  const isGrouped = dice.chance(0.65)
  const blocks = isGrouped && dice.chance(0.7) ? 'key' : 'nothing'
  const hasPoison = dice.chance(0.15)
  return {
    seed,
    isGrouped,
    blocks,
    exhausted: dice.pick(
      blocks === 'key'
        ? (['dead-letter', 'dead-letter-key', 'hold', 'drop'] as const)
        : (['dead-letter', 'drop'] as const),
    ),
    concurrency: 1 + dice.int(6),
    immediate: dice.chance(0.3) ? 1 : 0,
    maxAttempts: 2 + dice.int(4),
    delayMs: dice.pick([0, 20, 300, 2_000]),
    timeoutMs: 1_000 + dice.int(3_000),
    maxBufferedRecords: dice.pick([2, 10, 4_096]),
    isBatch: !hasPoison && dice.chance(0.2),
    isRough: dice.chance(0.8),
    actions: withPurges(dice, [...sends(dice, isGrouped, hasPoison), ...troubles(dice, hasPoison)]),
  }
}

type Timed = { readonly atMs: number; readonly action: QueueAction }

function sends(dice: Prng, isGrouped: boolean, hasPoison: boolean): Timed[] {
  let next = 0
  return Array.from({ length: 6 + dice.int(12) }, () => ({
    atMs: dice.int(LENGTH_MS),
    action: {
      kind: 'send' as const,
      tasks: Array.from({ length: 1 + dice.int(6) }, () => {
        next += 1
        return {
          id: `t${next}`,
          group: dice.pick(GROUPS),
          delayMs: !isGrouped && dice.chance(0.3) ? dice.int(5_000) : 0,
          script: scriptOf(dice, hasPoison),
        }
      }),
    },
  }))
}

/** While there is something to purge: on its way, or failed and held. */
function withPurges(dice: Prng, actions: readonly Timed[]): readonly Timed[] {
  const sent = actions.filter(({ action }) => action.kind === 'send')
  const purges = Array.from({ length: dice.chance(0.3) ? 1 + dice.int(2) : 0 }, () => ({
    atMs: dice.pick(sent).atMs + 1 + dice.int(60),
    action: { kind: 'purge' as const },
  }))
  return [...actions, ...purges].sort((a, b) => a.atMs - b.atMs)
}

function scriptOf(dice: Prng, hasPoison: boolean): TaskBehaviour[] {
  if (hasPoison && dice.chance(0.05))
    return Array.from({ length: dice.chance(0.5) ? 1 : 60 }, () => 'kill' as const)
  if (!dice.chance(0.35)) return []
  const script: TaskBehaviour[] = Array.from({ length: 1 + dice.int(4) }, () =>
    dice.pick(['fail', 'fail', 'fail', 'hang', 'late'] as const),
  )
  if (dice.chance(0.1)) script.push('dead-letter')
  return script
}

function troubles(dice: Prng, hasPoison: boolean): Timed[] {
  const list: Timed[] = []
  const add = (share: number, most: number, make: () => QueueAction): void => {
    if (!dice.chance(share)) return
    for (let count = 1 + dice.int(most); count > 0; count -= 1)
      list.push({ atMs: dice.int(LENGTH_MS), action: make() })
  }
  add(0.5, 3, () => ({ kind: 'crash' }))
  add(hasPoison ? 0.2 : 0.7, 5, () => ({ kind: 'crash-at-call', inCalls: 1 + dice.int(60) }))
  add(0.25, 2, () => ({ kind: 'stop' }))
  add(0.3, 2, () => ({ kind: 'pause' }))
  return list
}
