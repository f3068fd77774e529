import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AppDefinition } from 'eddy'
import { ClapCounts } from './clap-counts.ts'
import { clapsApp } from './claps-app.ts'
import { InFlight } from './in-flight.ts'
import { readSettings } from './settings.ts'

/** For `eddy start` and functions of AWS Lambda: settings come from the environment, see `readSettings`. */
const { dataDirectory, failRate, slowMs, inFlightFile } = readSettings(process.env)
const directory = join(dataDirectory, 'counts')
mkdirSync(directory, { recursive: true })

const app: AppDefinition = clapsApp({
  counts: new ClapCounts(directory),
  ...(inFlightFile !== undefined && { inFlight: new InFlight(inFlightFile) }),
  async disturb() {
    if (slowMs > 0) await sleep(Math.random() * slowMs)
    // Twice in an attempt: together they make it fail with probability `failRate`.
    if (Math.random() < 1 - Math.sqrt(1 - failRate)) throw new Error('failed at random')
  },
})

export default app
