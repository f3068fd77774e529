import { Prng } from '../../clock/prng.ts'

export type WorkersBehaviour = 'ok' | 'fail' | 'hang' | 'dead-letter' | 'kill'

export interface WorkersEvent {
  readonly id: string
  readonly key: string
  /** What the nth call of the handler does; further calls succeed. */
  readonly script: readonly WorkersBehaviour[]
}

export type WorkersAction =
  | { readonly kind: 'append'; readonly events: readonly WorkersEvent[] }
  /** One more worker. */
  | { readonly kind: 'join' }
  /** One stops as it should; another may come in its place. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'kill-all-at-call'; readonly inCalls: number }
  /** One does nothing for so long, and then goes on as if nothing had been. */
  | { readonly kind: 'stall'; readonly forMs: number }
  | { readonly kind: 'split' }
  | { readonly kind: 'merge' }
  /** A person sends what is dead or waits for them again: in its place, or out of order. */
  | { readonly kind: 'redrive' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** A person changes what waits behind a failure, through one worker; the others see it a second later. */
  | { readonly kind: 'policy'; readonly blocks: 'key' | 'shard' }

export interface WorkersScenario {
  readonly seed: number
  readonly blocks: 'nothing' | 'key' | 'shard'
  /** The order that every policy of the run keeps. */
  readonly promised: 'nothing' | 'key' | 'shard'
  readonly exhausted: 'dead-letter' | 'hold'
  readonly shards: number
  readonly workers: number
  readonly leaseMs: number
  readonly concurrency: number
  readonly maxAttempts: number
  readonly delayMs: number
  readonly timeoutMs: number
  readonly isRough: boolean
  readonly actions: readonly { readonly atMs: number; readonly action: WorkersAction }[]
}

const LENGTH_MS = 60_000
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
export const MAX_WORKERS = 4

/** What one seed plays: drawn up before the run. */
export function workersScenarioOf(seed: number): WorkersScenario {
  const dice = new Prng(`workers/${seed}`)
  const blocks = dice.pick(['nothing', 'key', 'key', 'shard'] as const)
  const leaseMs = dice.pick([1_000, 3_000, 10_000])
  const hasPoison = dice.chance(0.15)
  const changes = blocks === 'nothing' ? [] : policyChanges(new Prng(`workers-policy/${seed}`))
  return {
    seed,
    blocks,
    promised: blocks === 'nothing' || changes.length === 0 ? blocks : 'key',
    exhausted: blocks === 'nothing' ? 'dead-letter' : dice.pick(['dead-letter', 'hold'] as const),
    shards: 1 + dice.int(4),
    workers: 2 + dice.int(2),
    leaseMs,
    concurrency: 1 + dice.int(4),
    maxAttempts: 2 + dice.int(3),
    delayMs: dice.pick([0, 20, 300, 2_000]),
    timeoutMs: 1_000 + dice.int(2_000),
    isRough: dice.chance(0.7),
    actions: [...appends(dice, hasPoison), ...troubles(dice, leaseMs), ...changes].sort(
      (a, b) => a.atMs - b.atMs,
    ),
  }
}

type Timed = { readonly atMs: number; readonly action: WorkersAction }

function appends(dice: Prng, hasPoison: boolean): Timed[] {
  const list: Timed[] = []
  let next = 0
  const event = (): WorkersEvent => {
    next += 1
    return { id: `e${next}`, key: dice.pick(KEYS), script: scriptOf(dice, hasPoison) }
  }
  for (let batch = 8 + dice.int(10); batch > 0; batch -= 1) {
    const events = Array.from({ length: 1 + dice.int(6) }, event)
    list.push({ atMs: dice.int(LENGTH_MS), action: { kind: 'append', events } })
  }
  // A stretch of steady load: something is under way whatever happens meanwhile.
  let atMs = dice.int(LENGTH_MS / 2)
  for (let count = 60; count > 0; count -= 1) {
    atMs += 20 + dice.int(400)
    list.push({ atMs, action: { kind: 'append', events: [event()] } })
  }
  return list
}

function scriptOf(dice: Prng, hasPoison: boolean): readonly WorkersBehaviour[] {
  if (hasPoison && dice.chance(0.02)) return Array.from({ length: 1 + dice.int(5) }, () => 'kill' as const)
  if (!dice.chance(0.25)) return []
  const script: WorkersBehaviour[] = []
  for (let count = 1 + dice.int(3); count > 0; count -= 1)
    script.push(dice.pick(['fail', 'fail', 'fail', 'hang', 'dead-letter'] as const))
  return script
}

function troubles(dice: Prng, leaseMs: number): Timed[] {
  const list: Timed[] = []
  const add = (share: number, most: number, make: () => WorkersAction): void => {
    if (!dice.chance(share)) return
    for (let count = 1 + dice.int(most); count > 0; count -= 1)
      list.push({ atMs: dice.int(LENGTH_MS), action: make() })
  }
  add(0.6, 3, () => ({ kind: 'kill' }))
  add(0.3, 2, () => ({ kind: 'kill-all-at-call', inCalls: 1 + dice.int(300) }))
  add(0.6, 3, () => ({ kind: 'stall', forMs: Math.floor(leaseMs * (0.3 + 2.7 * dice.next())) }))
  add(0.6, 3, () => ({ kind: 'join' }))
  add(0.6, 3, () => ({ kind: 'leave' }))
  add(0.4, 2, () => ({ kind: 'split' }))
  add(0.3, 2, () => ({ kind: 'merge' }))
  add(0.5, 5, () => ({ kind: 'redrive' }))
  if (dice.chance(0.2)) {
    const atMs = dice.int(LENGTH_MS - 10_000)
    list.push({ atMs, action: { kind: 'pause' } }, { atMs: atMs + 6_000, action: { kind: 'resume' } })
  }
  return list
}

function policyChanges(dice: Prng): Timed[] {
  if (!dice.chance(0.6)) return []
  return Array.from({ length: 2 + dice.int(8) }, () => ({
    atMs: dice.int(LENGTH_MS),
    action: { kind: 'policy', blocks: dice.pick(['key', 'shard'] as const) },
  }))
}
