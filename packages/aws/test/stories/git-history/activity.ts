import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a process of the example writes down before it goes on: EDDY_ACTIVITY_FILE. */
export interface Activity {
  readonly inFlight: number
  readonly started: number
  readonly retries: number
  readonly failed: number
}

/** Where one process keeps it. */
export function activityFile(directory: string, process: string): string {
  return join(directory, `activity-${process}.json`)
}

/** Over all processes that ever lived. */
export function activityOf(directory: string): Activity {
  const sum = { inFlight: 0, started: 0, retries: 0, failed: 0 }
  for (const name of readdirSync(directory).filter((file) => /^activity-.*\.json$/.test(file))) {
    const one = activityIn(join(directory, name))
    for (const what of Object.keys(sum) as (keyof Activity)[]) sum[what] += one[what]
  }
  return sum
}

/** Zeros for a process that has written nothing yet. */
export function activityIn(file: string): Activity {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return text === '' ? { inFlight: 0, started: 0, retries: 0, failed: 0 } : (JSON.parse(text) as Activity)
}
