import { type Blocks, defineApp, exponential, stream, subscribe, succeeded } from '@eddy/core'
import { Prng, quietFaults, roughFaults } from '@eddy/testing'
import { LambdaWorld, type Sandbox } from './lambda-world.ts'

/** What a seed plays. */
export interface Play {
  readonly seed: number
  readonly blocks: Blocks
  readonly events: number
  readonly keys: number
  readonly shards: number
  readonly batchSize: number
  readonly factor: number
  readonly bisect: boolean
  readonly inBatches: boolean
  readonly isRough: boolean
  /** Processes that end in a handler. */
  readonly kills: number
  /** Events that end every process they are handled in. */
  readonly poison: number
  readonly failingShare: number
  /** Answers that the service never gets. */
  readonly lostAnswers: number
}

export function playOf(seed: number): Play {
  const chance = new Prng(`functions/${seed}`)
  const blocks = chance.pick<Blocks>(['nothing', 'key', 'shard'])
  return {
    seed,
    blocks,
    events: 20 + chance.int(60),
    keys: 1 + chance.int(8),
    shards: 1 + chance.int(2),
    batchSize: chance.pick([1, 5, 10, 100]),
    factor: blocks === 'shard' ? 1 : 1 + chance.int(4),
    bisect: chance.chance(0.5),
    inBatches: chance.chance(0.25),
    isRough: chance.chance(0.5),
    kills: chance.int(4),
    poison: chance.chance(0.4) ? 1 : 0,
    failingShare: chance.pick([0, 0.03, 0.2]),
    lostAnswers: chance.chance(0.3) ? 1 + chance.int(3) : 0,
  }
}

export interface Played {
  readonly problems: readonly string[]
  readonly kills: number
  readonly lostAnswers: number
  readonly dead: number
}

interface Begun {
  readonly id: string
  readonly key: string
}

/** Plays a seed: every event comes to its end (I2), none before those of its key (I3). */
export async function playFunctions(play: Play): Promise<Played> {
  const { blocks, events: count, keys, kills } = play
  const chance = new Prng(`handlers/${play.seed}`)
  const problems: string[] = []
  const order = Array.from({ length: count }, (_, index) => ({
    key: `k${chance.int(keys)}`,
    id: `e${index}`,
  }))
  const succeededIds = new Set<string>()
  const late: { readonly first: string; readonly second: string }[] = []
  const poisoned = new Set(
    chance
      .shuffle(order)
      .slice(0, play.poison)
      .map(({ id }) => id),
  )
  let killsLeft = kills
  let answersToLose = play.lostAnswers
  let isSettling = false

  const begin = ({ id, key }: Begun): void => {
    if (blocks === 'nothing') return
    for (const earlier of order) {
      if (earlier.id === id) break
      if (earlier.key === key && !succeededIds.has(earlier.id)) late.push({ first: id, second: earlier.id })
    }
  }
  const handleOne = async (event: Begun, clock: LambdaWorld['clock'], sandbox: Sandbox): Promise<void> => {
    begin(event)
    await clock.sleep(chance.int(40))
    if (poisoned.has(event.id)) return await sandbox.exit()
    if (killsLeft > 0 && chance.chance(0.05)) {
      killsLeft -= 1
      return await sandbox.exit()
    }
    if (!isSettling && chance.chance(play.failingShare)) throw new Error('by chance')
    succeededIds.add(event.id)
  }
  const source = stream('events', { shards: play.shards })
  const reading = {
    failure: {
      blocks,
      exhausted: 'dead-letter' as const,
      retry: exponential({ initialMs: 200, maxMs: 5_000, maxAttempts: 30 }),
    },
    concurrency: 1 + chance.int(6),
  }
  const world = await LambdaWorld.open(
    (sandbox) =>
      defineApp({
        subscriptions: [
          play.inBatches
            ? subscribe('work', source, {
                ...reading,
                batch: { maxEvents: 4 },
                handleBatch: async (items) => {
                  const outcomes = []
                  const failedKeys = new Set<string>()
                  for (const item of items) {
                    const { key } = item.ctx
                    // What stands behind a failure does not count, whatever is said of it.
                    const isBehind = failedKeys.has(blocks === 'shard' ? '' : key) && blocks !== 'nothing'
                    if (isBehind) {
                      outcomes.push(succeeded(item))
                      continue
                    }
                    try {
                      await handleOne({ id: item.event.id, key }, world.clock, sandbox)
                      outcomes.push(succeeded(item))
                    } catch (error) {
                      failedKeys.add(blocks === 'shard' ? '' : key)
                      outcomes.push({ id: item.id, ok: false as const, error })
                    }
                  }
                  return outcomes
                },
              })
            : subscribe('work', source, {
                ...reading,
                handle: (event, ctx) => handleOne({ id: event.id, key: ctx.key }, world.clock, sandbox),
              }),
        ],
      }),
    {
      seed: play.seed,
      shards: play.shards,
      loseAnswerAfterMs: () => {
        if (answersToLose === 0 || !chance.chance(0.2)) return undefined
        answersToLose -= 1
        return chance.int(400)
      },
    },
  )
  try {
    await world.put(
      'events',
      order.map(({ key, id }) => ({ key, id, data: null })),
    )
    if (play.isRough) world.world.faults = { ...roughFaults, emptyRead: 0 }
    const { batchSize, factor, bisect } = play
    world.mapStream('work', { batchSize, parallelizationFactor: factor, bisectBatchOnFunctionError: bisect })
    world.mapRetries('work')
    const { clock } = world
    await clock.advance(120_000)
    world.world.faults = quietFaults
    isSettling = true
    const sweeper = world.fn('sweep')
    const isOpen = async (): Promise<boolean> => {
      const ended = new Set(
        (await world.failures()).map(({ eventId, status }) => (status === 'dead' ? eventId : '')),
      )
      const waits = (await world.failures()).some(({ status }) => status === 'retrying' || status === 'held')
      return waits || order.some(({ id }) => !succeededIds.has(id) && !ended.has(id))
    }
    for (let minute = 0; minute < 30 && (await isOpen()); minute += 1) {
      await Promise.all([world.settle(sweeper.invoke({})), clock.advance(60_000)])
    }
    const failures = await world.failures()
    const dead = failures.filter(({ status }) => status === 'dead')
    const deadIds = new Set(dead.map(({ eventId }) => eventId))
    for (const { id } of order) {
      if (succeededIds.has(id)) continue
      if (!deadIds.has(id)) problems.push(`I2: ${id} has no end`)
      else if (!poisoned.has(id)) problems.push(`${id} is dead, and not of itself`)
    }
    for (const item of failures)
      if (item.status === 'retrying' || item.status === 'held')
        problems.push(`I9: ${item.eventId} still waits (${item.status})`)
    for (const { first, second } of late)
      if (!deadIds.has(second)) problems.push(`I3: ${first} began before ${second} was done`)
    return { problems, kills: world.exits, lostAnswers: world.lostAnswers, dead: dead.length }
  } finally {
    await world.stop()
  }
}
