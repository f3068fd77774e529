import { existsSync, readFileSync } from 'node:fs'

/** What a process of the example writes down before it goes on: EDDY_ACTIVITY_FILE. */
export interface Activity {
  readonly inFlight: number
  readonly started: number
  readonly retries: number
  readonly failed: number
}

/** Zeros for a process that has written nothing yet. */
export function activityIn(file: string): Activity {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return text === '' ? { inFlight: 0, started: 0, retries: 0, failed: 0 } : (JSON.parse(text) as Activity)
}
