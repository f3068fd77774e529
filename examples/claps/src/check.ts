import { join } from 'node:path'
import { ClapCounts } from './clap-counts.ts'
import { readSettings } from './settings.ts'

/** `node dist/check.js`: the totals per post, as JSON, while others may be counting. */
const counts = new ClapCounts(join(readSettings(process.env).dataDirectory, 'counts'))
console.log(JSON.stringify(Object.fromEntries(counts.totals())))
await counts.close()
