import { cpus, loadavg } from 'node:os'
import { cpuUsage } from 'node:process'

/** Beyond this many cores of other work, figures say more about the machine than about Eddy. */
const BUSY_CORES = 0.5

/** Measures what else ran on the machine between two moments. */
export class OtherWork {
  readonly #startedMs = performance.now()
  readonly #busyMs = busyMs()
  readonly #ownMs = ownMs()

  /** Cores used by other processes, on average since the start. */
  cores(): number {
    const elapsedMs = performance.now() - this.#startedMs
    const others = busyMs() - this.#busyMs - (ownMs() - this.#ownMs)
    return Math.max(0, others / elapsedMs)
  }
}

export function isBusy(cores: number): boolean {
  return cores > BUSY_CORES
}

export function loadNow(): number {
  return loadavg()[0] ?? 0
}

/** CPU milliseconds of this process, user and system, all threads. */
export function ownMs(): number {
  const { user, system } = cpuUsage()
  return (user + system) / 1_000
}

function busyMs(): number {
  let total = 0
  for (const { times } of cpus()) total += times.user + times.nice + times.sys + times.irq
  return total
}
