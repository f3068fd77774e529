import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { expectDense, openEngine, readAll } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const PROGRAM = fileURLToPath(new URL('../support/append-forever.mjs', import.meta.url))
const SHARDS = ['shardId-000000000000', 'shardId-000000000001']

/** Runs the appending process, kills it with signal 9 after some acknowledgements, returns what it printed. */
async function appendUntilKilled(dataDir: string, durability: string, acks: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, dataDir, durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.on('exit', (code) => (code === null ? resolve() : reject(new Error(`exited with ${code}`))))
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString()
      if (text.split('\n').length > acks) child.kill('SIGKILL')
    })
  })
  // A last line may have been cut off by the kill.
  return text.split('\n').slice(0, -1)
}

for (const durability of ['fsync', 'os']) {
  test(`I1: ${durability}: what was acknowledged before kill -9 is there, without holes or duplicates`, async () => {
    const dataDir = join(await temporaryFolder(), 'data')
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round++) {
      acknowledged.push(...(await appendUntilKilled(dataDir, durability, 150 * (round + 1))))
    }
    const engine = await openEngine({ dataDir })
    expect(engine.wasClean).toBe(false)
    const stored = new Map<string, string>()
    for (const shardId of SHARDS) {
      const records = await readAll(engine.log, 'orders', shardId)
      expectDense(records)
      for (const { sequenceNumber, data } of records) {
        stored.set(`${shardId} ${sequenceNumber}`, Buffer.from(data).toString())
      }
    }
    expect(new Set(stored.values()).size).toBe(stored.size)
    expect(acknowledged.length).toBeGreaterThan(400)
    for (const line of acknowledged) {
      const [shardId, sequenceNumber, text] = line.split(' ')
      expect(stored.get(`${shardId} ${sequenceNumber}`)).toBe(text)
    }
  })
}
