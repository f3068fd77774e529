import { runWorkersSeed } from './run-workers-seed.ts'

export interface WorkersSeedsReport {
  readonly from: number
  readonly count: number
  readonly records: number
  readonly kills: number
  /** Leases that went from one worker to another without a word. */
  readonly takenOver: number
  readonly handedOver: number
  readonly policyChanges: number
  readonly failures: readonly { readonly seed: number; readonly message: string }[]
}

/** Plays `count` seeds with several workers. Stops after ten that failed: more tell nothing new. */
export async function runWorkersSeeds(from: number, count: number): Promise<WorkersSeedsReport> {
  const failures: { readonly seed: number; readonly message: string }[] = []
  const sum = { records: 0, kills: 0, takenOver: 0, handedOver: 0, policyChanges: 0 }
  for (let seed = from; seed < from + count && failures.length < 10; seed += 1) {
    const { violation, records, seen } = await runWorkersSeed(seed)
    sum.records += records
    sum.kills += seen.kills
    sum.takenOver += seen.takenOver
    sum.handedOver += seen.handedOver
    sum.policyChanges += seen.policyChanges
    if (violation !== undefined) failures.push({ seed, message: violation.message })
  }
  return { from, count, ...sum, failures }
}
