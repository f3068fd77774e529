import { type RareEvent, RareEventCounts } from './rare-events.ts'
import { runSeed } from './run-seed.ts'

export interface SeedFailure {
  readonly seed: number
  readonly invariant: string
  readonly message: string
}

export interface SeedsReport {
  readonly from: number
  readonly count: number
  readonly records: number
  readonly failures: readonly SeedFailure[]
  readonly rare: Readonly<Record<RareEvent, number>>
}

/** Plays `count` seeds from `from` on, one after another. Stops after ten that failed: more tell nothing new. */
export async function runSeeds(
  from: number,
  count: number,
  onSeed?: (seed: number) => void,
): Promise<SeedsReport> {
  const rare = new RareEventCounts()
  const failures: SeedFailure[] = []
  let records = 0
  for (let seed = from; seed < from + count && failures.length < 10; seed += 1) {
    const result = await runSeed(seed)
    records += result.records
    rare.add(result.rare.counts)
    if (result.violation !== undefined)
      failures.push({ seed, invariant: result.violation.invariant, message: result.violation.message })
    onSeed?.(seed)
  }
  return { from, count, records, failures, rare: rare.counts }
}
