// Exits when lmdb's thread has begun a commit and waits for this one; with `halt` after haltCommits. From the built package.
import { writeSync } from 'node:fs'
import { haltCommits, openEmbedded } from '@eddy/embedded'

const [dataDir, how] = process.argv.slice(2)
const engine = await openEmbedded({ dataDir })
const { log } = engine
await log.createStream({ name: 'orders', shardCount: 1, retentionMs: 86_400_000, durability: 'fsync' })
const append = (text) => log.append('orders', [{ partitionKey: 'k', data: Buffer.from(text) }])
await append('acknowledged')
writeSync(1, 'acknowledged\n')
void append('under way')
// Its turn of the event loop begins the commit; this one lasts until the other thread waits.
setImmediate(() => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  writeSync(1, 'exits\n')
  if (how === 'halt') void haltCommits().then(() => process.exit(7))
  else process.exit(7)
})
