import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '@eddy/embedded'
import { expect, test } from 'vitest'
import { entries, openEngine, readAll, streamSpec } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Makes the guard look as if the machine had gone down under the owner. */
async function pretendPowerCut(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'guard')
  const path = join(folder, (await readdir(folder))[0] as string)
  const guard = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...guard, bootId: 'the boot before', released: false }))
}

test("I2: after a power cut durability 'os' never gives a number out twice; 'fsync' goes on densely", async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir })
  await engine.log.createStream(streamSpec('clicks', { durability: 'os' }))
  await engine.log.createStream(streamSpec('orders'))
  await engine.log.append('clicks', entries(3))
  await engine.log.append('orders', entries(3))
  await engine.close()
  await pretendPowerCut(dataDir)
  const cut = await openEmbedded({ dataDir })
  const [clicks] = await cut.log.append('clicks', entries(1))
  const [orders] = await cut.log.append('orders', entries(1))
  expect(clicks).toMatchObject({ sequenceNumber: '1001000000000000' })
  expect(orders).toMatchObject({ sequenceNumber: '1000000000000003' })
  expect(await readAll(cut.log, 'clicks')).toHaveLength(4)
  await cut.close()
  await pretendPowerCut(dataDir)
  const again = await openEngine({ dataDir })
  const [third] = await again.log.append('clicks', entries(1))
  expect(third).toMatchObject({ sequenceNumber: '1002000000000000' })
  const atTime = await again.log.read({
    stream: 'clicks',
    shardId: 'shardId-000000000000',
    from: { at: 'at_timestamp', timestampMs: 1 },
    maxRecords: 10,
    maxBytes: 1_000,
    waitMs: 0,
  })
  expect(atTime).toMatchObject({ expiredRecords: 0 })
  expect(atTime.records).toHaveLength(5)
})
