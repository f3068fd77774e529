import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, numbered, Workplace } from './support/workplace.ts'

const EVENTS = 600
const KEYS = 40

type Blocks = 'nothing' | 'key' | 'shard'

/**
 * Every seventh event fails its first attempt.
 * @param workMs - the least that an event takes
 */
function appWith(blocks: Blocks, workMs = 0): string {
  const exhausted = blocks === 'key' ? `exhausted: 'dead-letter', ` : ''
  return appOf({
    failure: `{ blocks: '${blocks}', ${exhausted}retry: fixed({ delayMs: 10, maxAttempts: 50, jitter: 'none' }) }`,
    more: 'concurrency: 32, ',
    handle: `async ({ data }, ctx) => {
      await sleep(${workMs} + data.n % 4)
      if (data.n % 7 === 0 && ctx.attempt === 1) throw new Error('the first attempt fails')
      record(data.key + ' ' + data.n)
    }`,
  })
}

interface Effect {
  readonly key: string
  readonly n: number
}

function effects(place: Workplace): Effect[] {
  return place.lines('handled').map((line) => {
    const [key = '', n] = line.split(' ')
    return { key, n: Number(n) }
  })
}

async function isThrough(place: Workplace): Promise<boolean> {
  const { lagRecords, retrying, held, inFlight } = await place.subscription('sub')
  return lagRecords === 0 && retrying + held + inFlight === 0
}

/** First effects of each event, in order of their key; later ones are repeats. */
function expectOrderOfKeys(found: readonly Effect[]): void {
  const last = new Map<string, number>()
  const seen = new Set<number>()
  for (const { key, n } of found) {
    if (seen.has(n)) continue
    seen.add(n)
    expect(n, `${key} after ${last.get(key)}`).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, n)
  }
}

const ALL = Array.from({ length: EVENTS }, (_, n) => n)
const numbersOf = (found: readonly Effect[]) => found.map(({ n }) => n).sort((a, b) => a - b)

describe('a stop under load', () => {
  it.each(['nothing', 'key'] as const)(
    'by SIGTERM finishes or gives back, saves checkpoints, ends with 0; nothing runs twice (blocks: %s)',
    async (blocks) => {
      // Else all might be handled before the signal arrives.
      const place = await Workplace.open(appWith(blocks, 50))
      await place.load(numbered(0, EVENTS, KEYS))
      for (const enough of [EVENTS / 6, EVENTS / 2]) {
        await place.start()
        await until(() => place.lines('handled').length >= enough)
        expect(await place.stop()).toBe(0)
        expect(effects(place).length).toBeLessThan(EVENTS)
      }
      await place.start()
      await until(() => isThrough(place))
      expect(numbersOf(effects(place))).toEqual(ALL)
      if (blocks !== 'nothing') expectOrderOfKeys(effects(place))
      expect((await place.failures()).map(({ item }) => item.status)).not.toContain('dead')
    },
  )

  // With each value of `blocks`: the small kill test of examples/git-history, and the simulation.
  it.each(['shard'] as const)(
    'by SIGKILL loses nothing and keeps the order of each key (blocks: %s; I1, I2, I3)',
    async (blocks) => {
      const place = await Workplace.open(appWith(blocks))
      await place.load(numbered(0, EVENTS, KEYS))
      for (const enough of [EVENTS / 6, EVENTS / 2]) {
        await place.start()
        await until(() => place.lines('handled').length >= enough)
        await place.kill()
      }
      await place.start()
      await until(() => isThrough(place))
      const found = effects(place)
      expect([...new Set(numbersOf(found))]).toEqual(ALL)
      expectOrderOfKeys(found)
      expect((await place.failures()).map(({ item }) => item.status)).not.toContain('dead')
    },
  )
})
