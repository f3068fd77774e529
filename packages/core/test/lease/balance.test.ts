import { describe, expect, test } from 'vitest'
import { balance, type PlaceView } from '../../src/lease/balance.ts'

function views(owners: readonly (string | undefined)[], kind = 'shard/s'): PlaceView[] {
  return owners.map((owner, n) => ({ place: `${kind}/${n}`, owner, wantedBy: undefined }))
}

/** Every worker does what it would, one after another, until nobody moves. */
function settle(start: readonly PlaceView[], workers: readonly string[]): readonly PlaceView[] {
  let now = start
  for (let round = 0; round < 20; round += 1) {
    const before = now
    for (const self of workers) {
      const { take, want } = balance(now, workers, self)
      now = now.map((view) => {
        if (take.includes(view.place)) return { ...view, owner: self, wantedBy: undefined }
        return want.includes(view.place) ? { ...view, wantedBy: self } : view
      })
    }
    if (now.every((view, n) => view === before[n])) return now
    // Owners hand over what is wanted.
    now = now.map((view) =>
      view.wantedBy === undefined ? view : { ...view, owner: view.wantedBy, wantedBy: undefined },
    )
  }
  throw new Error('it never comes to rest')
}

function counts(all: readonly PlaceView[], workers: readonly string[]): number[] {
  return workers.map((worker) => all.filter(({ owner }) => owner === worker).length)
}

describe('the balance of leases', () => {
  test('comes to within one of each other from wherever it begins, and rests there', () => {
    const workers = ['a', 'b', 'c', 'd', 'e']
    for (let places = 0; places <= 12; places += 1) {
      for (let live = 1; live <= workers.length; live += 1) {
        const some = workers.slice(0, live)
        const starts = [
          views(Array.from({ length: places }, () => undefined)),
          views(Array.from({ length: places }, () => 'a')),
          views(Array.from({ length: places }, (_, n) => (n % 3 === 0 ? undefined : some[n % 2]))).map(
            (view) =>
              view.owner !== undefined && !some.includes(view.owner) ? { ...view, owner: undefined } : view,
          ),
        ]
        for (const start of starts) {
          const end = counts(settle(start, some), some)
          expect(end.reduce((sum, one) => sum + one, 0)).toBe(places)
          expect(Math.max(...end) - Math.min(...end)).toBeLessThanOrEqual(1)
        }
      }
    }
  })

  test('is one of each kind: who has many shards may have none of the queues', () => {
    const all = [...views(['a', 'a', 'b', 'b']), ...views(['a', 'a'], 'queue/q')]
    expect(balance(all, ['a', 'b'], 'b')).toEqual({ take: [], want: ['queue/q/1'] })
  })

  test('leaves alone what somebody else asked for, and what may still have an owner', () => {
    const all: PlaceView[] = [
      { place: 'shard/s/0', owner: undefined, wantedBy: 'b' },
      { place: 'shard/s/1', owner: undefined, isUncertain: true, wantedBy: undefined },
    ]
    expect(balance(all, ['a', 'b'], 'a')).toEqual({ take: [], want: [] })
    expect(balance(all, ['a', 'b'], 'b')).toEqual({ take: ['shard/s/0'], want: [] })
  })

  test('two who look at the same moment reach for different places', () => {
    const all = views([undefined, undefined, undefined, undefined])
    const [a, b] = ['a', 'b'].map((self) => balance(all, ['a', 'b'], self).take)
    expect(a).toHaveLength(2)
    expect(b).toHaveLength(2)
    expect(a?.some((place) => b?.includes(place))).toBe(false)
  })
})
