import type { BatchOptions, ProtectOptions, StreamOptions } from '@eddy/core'
import { Prng } from '../clock/prng.ts'
import type { CountedWrite } from './write-kind.ts'

export type Behaviour =
  | 'ok'
  | 'fail'
  | 'reject-late'
  | 'hang'
  | 'ok-late'
  | 'dead-letter'
  | 'drop'
  | 'retry-after'
  | 'kill'

export interface ScriptedEvent {
  readonly id: string
  readonly key: string
  readonly explicitHashKey?: string
  /** What the nth call of the handler does; further calls succeed. */
  readonly script: readonly Behaviour[]
  /** Fails whatever the attempt, until healed. */
  readonly alwaysFails: boolean
}

export type Action =
  | { readonly kind: 'append'; readonly events: readonly ScriptedEvent[] }
  | { readonly kind: 'crash' }
  /** The process is taken for dead, and goes on for so long beside the next one. */
  | { readonly kind: 'linger'; readonly forMs: number }
  | { readonly kind: 'crash-at-call'; readonly inCalls: number }
  | ({ readonly kind: 'crash-at-write' } & CountedWrite)
  /** A record that is no event. */
  | { readonly kind: 'garbage'; readonly key: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'split' }
  | { readonly kind: 'merge' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'redrive' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'edit' }
  | PolicyAction

/** A change while it runs (without `set`: back to the application file), or of the file, for the next start. */
export type PolicyAction =
  | { readonly kind: 'policy'; readonly set: Readonly<Record<string, unknown>> | undefined }
  | {
      readonly kind: 'edit-file'
      readonly blocks: Scenario['blocks']
      readonly exhausted: Scenario['exhausted']
    }

export interface Scenario {
  readonly seed: number
  readonly blocks: 'nothing' | 'key' | 'shard'
  readonly exhausted: 'dead-letter' | 'dead-letter-key' | 'hold' | 'drop'
  readonly shards: number
  readonly concurrency: number
  readonly immediate: number
  readonly maxAttempts: number
  readonly delayMs: number
  readonly timeoutMs: number
  readonly isRough: boolean
  readonly protect: ProtectOptions | undefined
  /** Of the stream: reads and appends are refused, and records fail inside. */
  readonly service: Pick<StreamOptions, 'limits' | 'faults'>
  /** Set: the handler is one of batches. */
  readonly batch: BatchOptions | undefined
  readonly aggregate: false | { readonly maxBytes: number }
  /** The share of changes in the ledger that somebody watches and acts on at once. */
  readonly eagerness: number
  readonly actions: readonly { readonly atMs: number; readonly action: Action }[]
}

const LENGTH_MS = 30_000
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']

/** What one seed plays: drawn up before the run, so that a change of the code under test changes nothing else. */
export function scenarioOf(seed: number): Scenario {
  const dice = new Prng(`scenario/${seed}`)
  const blocks = dice.pick(['nothing', 'key', 'key', 'key', 'shard'] as const)
  const exhausted = dice.pick(EXHAUSTED[blocks])
  const keys = KEYS.slice(0, 2 + dice.int(KEYS.length - 1))
  const hasPoison = dice.chance(0.15)
  const batch = batchOf(seed)
  return {
    seed,
    blocks,
    exhausted,
    shards: 1 + dice.int(3),
    concurrency: 1 + dice.int(6),
    immediate: dice.chance(0.3) ? 1 + dice.int(2) : 0,
    maxAttempts: 2 + dice.int(4),
    delayMs: dice.pick([0, 0, 20, 20, 300, 2_000]),
    timeoutMs: 1_000 + dice.int(3_000),
    isRough: dice.chance(0.8),
    protect: protectOf(seed),
    service: serviceOf(seed),
    batch,
    aggregate: aggregateOf(seed),
    eagerness: dice.chance(0.25) ? 0.15 : 0,
    actions: withCrashesAtAppends(dice, [
      ...appends(dice, keys, hasPoison),
      ...(dice.chance(0.15) ? splitUnderLoad(dice, dice.pick(keys)) : []),
      ...troubles(dice, keys, hasPoison),
      // What counts of a batch depends on one policy.
      ...(batch === undefined ? policyChanges(new Prng(`policy/${seed}`)) : []),
    ])
      // One event that hangs makes a batch fail late. A former owner that learns of it when it is none any more holds
      // keys that flow again: nothing refuses a hold's first write.
      .filter(({ action }) => batch === undefined || !leavesAFormerOwner(action))
      .sort((a, b) => a.atMs - b.atMs),
  }
}

function leavesAFormerOwner(action: Action): boolean {
  return action.kind === 'linger' || (action.kind === 'crash-at-write' && action.end === 'linger')
}

/** Of dice of its own, so that it changes nothing else of a seed. */
function aggregateOf(seed: number): Scenario['aggregate'] {
  const dice = new Prng(`aggregate/${seed}`)
  return dice.chance(0.3) && { maxBytes: dice.pick([1_024, 4_096, 51_200]) }
}

/** Of dice of its own, so that it changes nothing else of a seed. */
function batchOf(seed: number): BatchOptions | undefined {
  const dice = new Prng(`batch/${seed}`)
  if (dice.chance(0.7)) return undefined
  return { maxEvents: 1 + dice.int(8), maxWaitMs: dice.pick([0, 0, 50, 200]) }
}

/** Of dice of its own, so that it changes nothing of the other seeds. Rates that let everything come to rest in time. */
function serviceOf(seed: number): Scenario['service'] {
  const dice = new Prng(`service/${seed}`)
  if (dice.chance(0.8)) return {}
  const limits = {
    writeRecordsPerSecond: dice.pick([1, 1, 3]),
    readCallsPerSecond: dice.pick([1, 2, 5]),
    readBytesPerSecond: dice.pick([2_000, 2_000_000]),
  }
  return {
    limits,
    ...(dice.chance(0.4) && { faults: { internalFailureRate: 0.2, latencyMs: dice.int(50) } }),
  }
}

/** Of dice of its own, so that it changes nothing else of a seed. Numbers that let everything come to rest in time. */
function protectOf(seed: number): ProtectOptions | undefined {
  const dice = new Prng(`protect/${seed}`)
  if (dice.chance(0.5)) return undefined
  const window = 3 + dice.int(10)
  return {
    ...(dice.chance(0.4) && { ratePerSecond: dice.pick([5, 20, 100]) }),
    ...(dice.chance(0.3) && { retryRatePerSecond: dice.pick([3, 10]) }),
    ...(dice.chance(0.4) && {
      retryBudget: { share: dice.pick([0, 0.2, 1]), minPerSecond: dice.pick([0.5, 2]) },
    }),
    ...(dice.chance(0.6) && {
      breaker: {
        window,
        minimum: 1 + dice.int(window),
        ratio: dice.pick([0.3, 0.5, 1]),
        pauseMs: dice.pick([100, 500, 1_000]),
        maxPauseMs: dice.pick([1_000, 3_000]),
        probes: 1 + dice.int(window),
        probeConcurrency: 1 + dice.int(2),
        rampMs: dice.pick([0, 1_000, 5_000]),
      },
    }),
  }
}

const EXHAUSTED = {
  nothing: ['dead-letter', 'dead-letter', 'drop'],
  key: ['dead-letter', 'dead-letter-key', 'dead-letter-key', 'hold', 'drop'],
  shard: ['dead-letter', 'hold', 'drop'],
} as const

function appends(
  dice: Prng,
  keys: readonly string[],
  hasPoison: boolean,
): { atMs: number; action: Action }[] {
  const list: { atMs: number; action: Action }[] = []
  let next = 0
  for (let batch = 4 + dice.int(8); batch > 0; batch -= 1) {
    const events: ScriptedEvent[] = []
    for (let count = 1 + dice.int(6); count > 0; count -= 1)
      events.push(scriptedEvent(dice, `e${++next}`, dice.pick(keys), hasPoison))
    list.push({ atMs: dice.int(LENGTH_MS), action: { kind: 'append', events } })
  }
  // A key that fails and recovers while more of it keeps coming: releases race with diversions.
  if (dice.chance(0.6)) {
    const key = dice.pick(keys)
    let atMs = dice.int(LENGTH_MS - 3_000)
    for (let count = 15 + dice.int(15); count > 0; count -= 1) {
      atMs += 30 + dice.int(170)
      const script: Behaviour[] = dice.chance(0.4) ? ['fail'] : []
      list.push({
        atMs,
        action: { kind: 'append', events: [{ id: `e${++next}`, key, script, alwaysFails: false }] },
      })
    }
  }
  return list
}

function scriptedEvent(dice: Prng, id: string, key: string, hasPoison: boolean): ScriptedEvent {
  const script: Behaviour[] = []
  if (hasPoison && dice.chance(0.06)) {
    const kills = 1 + dice.int(6)
    // Some fail first, and kill as a retry.
    if (kills % 2 === 0) script.push('fail')
    // Some never stop: they must be given up.
    for (let count = kills === 6 ? 60 : kills; count > 0; count -= 1) script.push('kill')
  } else if (dice.chance(0.35)) {
    for (let count = 1 + dice.int(3); count > 0; count -= 1) {
      script.push(
        dice.pick(['fail', 'fail', 'fail', 'fail', 'reject-late', 'hang', 'ok-late', 'retry-after'] as const),
      )
    }
    if (dice.chance(0.1)) script.push(dice.pick(['dead-letter', 'drop'] as const))
  }
  return {
    id,
    key,
    script,
    alwaysFails: dice.chance(0.06),
    ...(dice.chance(0.03) && { explicitHashKey: String(BigInt(dice.int(2 ** 32)) << 96n) }),
  }
}

/** In some seeds. Of their own dice: the others play what they played. */
function policyChanges(dice: Prng): { atMs: number; action: Action }[] {
  if (!dice.chance(0.35)) return []
  const exhaustion = (): Pick<Scenario, 'blocks' | 'exhausted'> => {
    const blocks = dice.pick(['nothing', 'key', 'key', 'shard', 'shard'] as const)
    return { blocks, exhausted: dice.pick(EXHAUSTED[blocks]) }
  }
  const change = (): Action => {
    if (dice.chance(0.12)) return { kind: 'policy', set: undefined }
    const { blocks, exhausted } = exhaustion()
    return {
      kind: 'policy',
      set: {
        ...(dice.chance(0.85) && { 'failure.blocks': blocks, 'failure.exhausted': exhausted }),
        ...(dice.chance(0.3) && { 'failure.retry.maxAttempts': 1 + dice.int(6) }),
        ...(dice.chance(0.3) && { 'failure.retry.initialMs': dice.pick([0, 20, 300, 2_000]) }),
        ...(dice.chance(0.3) && { 'failure.immediate': dice.int(3) }),
        ...(dice.chance(0.3) && { concurrency: 1 + dice.int(6) }),
      },
    }
  }
  const list: { atMs: number; action: Action }[] = []
  for (let count = 2 + dice.int(8); count > 0; count -= 1)
    list.push({ atMs: dice.int(LENGTH_MS), action: change() })
  if (dice.chance(0.4))
    list.push({ atMs: dice.int(LENGTH_MS), action: { kind: 'edit-file', ...exhaustion() } })
  return list
}

/** Of the scenario, and of the changes of its policy. */
export function mostConcurrency({ concurrency, actions }: Scenario): number {
  const changed = actions.flatMap(({ action }) => (action.kind === 'policy' ? [action.set?.concurrency] : []))
  return Math.max(concurrency, ...changed.map((value) => Number(value ?? 0)))
}

/** A shard is split while it has much to do, and the key goes on in its child. */
function splitUnderLoad(dice: Prng, key: string): { atMs: number; action: Action }[] {
  const atMs = dice.int(LENGTH_MS)
  const events = (from: string): Action => ({
    kind: 'append',
    events: Array.from({ length: 12 }, (_, index) => ({
      id: `${from}${index}`,
      key,
      script: dice.chance(0.1) ? ['fail' as const] : [],
      alwaysFails: false,
    })),
  })
  return [
    { atMs, action: events('parent') },
    { atMs: atMs + 10 + dice.int(40), action: { kind: 'split' } },
    { atMs: atMs + 60 + dice.int(60), action: events('child') },
  ]
}

function troubles(
  dice: Prng,
  keys: readonly string[],
  hasPoison: boolean,
): { atMs: number; action: Action }[] {
  const list: { atMs: number; action: Action }[] = []
  const add = (share: number, most: number, make: () => Action): void => {
    if (!dice.chance(share)) return
    for (let count = 1 + dice.int(most); count > 0; count -= 1)
      list.push({ atMs: dice.int(LENGTH_MS), action: make() })
  }
  add(0.5, 3, () => ({ kind: 'crash' }))
  add(hasPoison ? 0.2 : 0.7, 5, () => ({ kind: 'crash-at-call', inCalls: 1 + dice.int(60) }))
  add(hasPoison ? 0.1 : 0.4, 4, () => ({
    kind: 'crash-at-write',
    of: dice.pick(['hold', 'hold', 'ledger', 'checkpoint', 'token'] as const),
    inWrites: 1 + dice.int(6),
    end: dice.pick(['die', 'late', hasPoison ? 'late' : 'linger'] as const),
  }))
  if (!hasPoison)
    add(0.4, 4, () => ({ kind: 'linger', forMs: 100 + dice.int(dice.chance(0.3) ? 3_000 : 700) }))
  add(0.1, 2, () => ({ kind: 'garbage', key: dice.pick(keys) }))
  add(0.2, 1, () => ({ kind: 'stop' }))
  add(0.4, 2, () => ({ kind: 'split' }))
  add(0.25, 2, () => ({ kind: 'merge' }))
  add(0.15, 2, () => ({ kind: 'pause' }))
  add(0.5, 4, () => ({ kind: 'redrive' }))
  add(0.2, 2, () => ({ kind: 'drop' }))
  add(0.25, 3, () => ({ kind: 'edit' }))
  return list
}

/** A few crashes just after an append: events are on their way into holds and the ledger then. */
function withCrashesAtAppends(
  dice: Prng,
  actions: { atMs: number; action: Action }[],
): { atMs: number; action: Action }[] {
  if (!dice.chance(0.4)) return actions
  const appended = actions.filter(({ action }) => action.kind === 'append')
  const crashes = Array.from({ length: 1 + dice.int(4) }, () => ({
    atMs: dice.pick(appended).atMs + 20 + dice.int(200),
    action: { kind: 'crash' as const },
  }))
  // And splits: the parent is not done when the children can be read.
  const splits = crashes
    .slice(0, dice.int(2))
    .map(({ atMs }) => ({ atMs: atMs - 15, action: { kind: 'split' as const } }))
  const onChildren = splits.flatMap(({ atMs }) =>
    appended.slice(0, 2).map(({ action }) => ({ atMs: atMs + 1, action: renamed(action) })),
  )
  return [...actions, ...crashes, ...splits, ...onChildren]
}

/** The same keys again, with events of their own that only succeed. */
function renamed(action: Action): Action {
  if (action.kind !== 'append') return action
  const events = action.events.map(({ id, key }) => ({
    id: `${id}-child`,
    key,
    script: [],
    alwaysFails: false,
  }))
  return { kind: 'append', events }
}
