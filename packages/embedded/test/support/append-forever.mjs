// Appends numbered records until it is killed; prints each acknowledged one. Run from the built package.
import { writeSync } from 'node:fs'
import { openEmbedded } from '@eddy/embedded'

const [dataDir, durability, writers = 'abc'] = process.argv.slice(2)
const engine = await openEmbedded({ dataDir })
const { log } = engine
if ((await log.listStreams()).length === 0) {
  await log.createStream({ name: 'orders', shardCount: 2, retentionMs: 86_400_000, durability })
}
let next = 0
async function writer(name) {
  for (;;) {
    const numbers = Array.from({ length: 1 + (next % 7) }, () => next++)
    const entries = numbers.map((n) => ({
      partitionKey: `k${n}`,
      data: Buffer.from(`${process.pid}-${name}-${n}`),
    }))
    const results = await log.append('orders', entries)
    const lines = results.map(
      (result, i) => `${result.shardId} ${result.sequenceNumber} ${process.pid}-${name}-${numbers[i]}\n`,
    )
    writeSync(1, lines.join(''))
  }
}
await Promise.all([...writers].map(writer))
