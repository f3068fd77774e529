import { kindOf } from './places.ts'

/** What is known of a place's lease. */
export interface PlaceView {
  readonly place: string
  /** A live worker; undefined: it may be taken. */
  readonly owner: string | undefined
  /** Its owner is not known to live, and may not be taken for dead yet. */
  readonly isUncertain?: boolean
  /** A live worker that asked for it. */
  readonly wantedBy: string | undefined
}

export interface Moves {
  /** Free, or of a dead worker. */
  readonly take: readonly string[]
  /** To be asked for. */
  readonly want: readonly string[]
}

/**
 * What a worker takes and asks for, of each kind: nobody takes more than its share, rounded up, and whoever has two
 * fewer than another asks for one of theirs. So numbers come to within one of each other, and then nobody moves.
 *
 * What is asked for counts as the asker's already: two who look at the same time do not ask for twice as much.
 */
export function balance(views: readonly PlaceView[], workers: readonly string[], self: string): Moves {
  const kinds = new Map<string, PlaceView[]>()
  for (const view of views) {
    const kind = kindOf(view.place)
    kinds.set(kind, [...(kinds.get(kind) ?? []), view])
  }
  const take: string[] = []
  const want: string[] = []
  for (const sameKind of kinds.values()) {
    const ofKind = turned(sameKind, workers.indexOf(self) / workers.length)
    const counts = new Map(workers.map((worker) => [worker, 0]))
    const count = (worker: string, by: number): void => {
      counts.set(worker, (counts.get(worker) ?? 0) + by)
    }
    for (const view of ofKind) {
      const to = view.wantedBy ?? view.owner
      if (to !== undefined) count(to, 1)
    }
    const share = Math.ceil(ofKind.length / workers.length)
    for (const { place, owner, isUncertain, wantedBy } of ofKind) {
      if (owner !== undefined || isUncertain === true) continue
      if (wantedBy === self) take.push(place)
      if (wantedBy !== undefined || (counts.get(self) ?? 0) >= share) continue
      take.push(place)
      count(self, 1)
    }
    for (;;) {
      const own = counts.get(self) ?? 0
      const most = ofKind
        .filter(
          ({ place, owner, wantedBy }) =>
            isAnothers(owner, self) && wantedBy === undefined && !want.includes(place),
        )
        .reduce<PlaceView | undefined>(
          (best, view) => (countOf(counts, view) > countOf(counts, best) ? view : best),
          undefined,
        )
      if (most?.owner === undefined || countOf(counts, most) < own + 2) break
      want.push(most.place)
      count(most.owner, -1)
      count(self, 1)
    }
  }
  return { take, want }
}

/** Each worker begins at another place: who looks at the same moment does not reach for the same. */
function turned(views: readonly PlaceView[], share: number): readonly PlaceView[] {
  const at = Math.floor(views.length * share)
  return [...views.slice(at), ...views.slice(0, at)]
}

function isAnothers(owner: string | undefined, self: string): boolean {
  return owner !== undefined && owner !== self
}

function countOf(counts: ReadonlyMap<string, number>, view: PlaceView | undefined): number {
  return view?.owner === undefined ? -1 : (counts.get(view.owner) ?? 0)
}
