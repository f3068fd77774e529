import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Victim {
  readonly pid: number
  /** Handlers that have begun and not ended, as the process has written it down. */
  inFlight(): number
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
}

const TRIES = 20_000

/**
 * Kills one of the processes, whichever chance says, at a moment when handlers are in flight in it: it is made to stand still
 * first, and what it shows then is what it dies with.
 *
 * @returns how many handlers were in flight
 * @throws Error when there is no such moment
 */
export async function killInFlight(victims: () => readonly Victim[]): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const all = victims()
    const victim = all[Math.floor(Math.random() * all.length)]
    if (victim !== undefined && victim.inFlight() > 0 && (await standsStill(victim.pid))) {
      const inFlight = victim.inFlight()
      if (inFlight > 0) {
        await victim.kill()
        return inFlight
      }
      process.kill(victim.pid, 'SIGCONT')
    }
    await sleep(1 + (tries % 3))
  }
  throw new Error(`in ${TRIES} looks there was no process with handlers in flight`)
}

/** False: it is gone. */
async function standsStill(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 'SIGSTOP')
    for (let looks = 0; looks < 1_000; looks += 1) {
      if (process.platform !== 'linux') return true
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const state = stat.slice(stat.lastIndexOf(')') + 2)[0]
      if (state === 'T') return true
      if (state === 'Z') return false
      await sleep(1)
    }
    return true
  } catch {
    return false
  }
}
