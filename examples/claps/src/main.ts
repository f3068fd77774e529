import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'eddy'
import { type Clap, keyOf } from './clap.ts'
import { ClapCounts } from './clap-counts.ts'
import { CLAPS, clapsApp } from './claps-app.ts'
import { randomClaps, totalsOf } from './random-claps.ts'

/** `npm start -w examples/claps`: 5,000 claps, a fifth of them sent twice, a handler that fails a tenth of its attempts. */
const EVENTS = 5_000
const directory = process.env.DATA_DIR ?? '.eddy/claps'
mkdirSync(`${directory}/counts`, { recursive: true })
const counts = new ClapCounts(`${directory}/counts`)
let failures = 0
const disturb = () => {
  if (Math.random() >= 0.05) return
  failures++
  throw new Error('failed at random')
}
const eddy = await open(clapsApp({ counts, disturb }), { dataDir: `${directory}/engine` })

// A run of its own posts: versions begin at 1 each time.
const run = Date.now().toString(36)
const claps = randomClaps({ posts: 5, members: 40, events: EVENTS, random: Math.random }).map((clap) => ({
  ...clap,
  post: `${run}-${clap.post}`,
}))
const sent = claps.flatMap((clap) => (Math.random() < 0.2 ? [clap, clap] : [clap]))
for (let i = 0; i < sent.length; i += 500) await eddy.append(CLAPS, sent.slice(i, i + 500).map(eventOf))

let status = await eddy.operations.showSubscription('claps-per-post')
while (status.lagRecords > 0 || status.inFlight > 0 || status.retrying > 0) {
  await sleep(50)
  status = await eddy.operations.showSubscription('claps-per-post')
}
console.log(`${sent.length} events (${sent.length - EVENTS} of them duplicates), ${failures} attempts failed`)
let allRight = true
for (const [post, expected] of [...totalsOf(claps)].sort()) {
  const counted = counts.totalOf(post)
  if (counted !== expected) allRight = false
  console.log(`${post}  ${counted} claps${counted === expected ? '' : ` BUT EXPECTED ${expected}`}`)
}
await eddy.close()
await counts.close()
process.exit(allRight ? 0 : 1)

function eventOf(clap: Clap) {
  return { key: keyOf(clap), type: 'clap', data: clap }
}
