import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedEngine, openEmbedded, restoreBackup } from '@eddy/embedded'
import { beforeAll, describe, expect, test } from 'vitest'
import { entries, expectDense, openEngine, readAll, streamSpec } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function fill(engine: EmbeddedEngine): Promise<void> {
  await engine.log.createStream(streamSpec('orders'))
  await engine.log.createStream(streamSpec('clicks', { durability: 'os' }))
  await engine.log.append('orders', entries(20, 'needle', 2_000))
  await engine.log.append('clicks', entries(7))
  await engine.queue.send('retry/billing', [{ body: 'token', delayMs: 0 }])
  await engine.table.put({ partition: 'p', sort: 's', value: { n: 1 } }, 'absent')
  await engine.blobs.put('payload/1', Buffer.from('large'))
}

async function text(content: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of content ?? []) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('a copy taken while appends, writes and deletes go on is of one moment, and restores', async () => {
  const folder = await temporaryFolder()
  const engine = await openEngine({ dataDir: join(folder, 'data') })
  await fill(engine)
  const stop = new AbortController()
  let appended = 0
  const appending = (async () => {
    while (!stop.signal.aborted) {
      await engine.log.append('orders', entries(50, 'more', 500))
      // Each blob is there before the item that names it, and goes after it.
      await engine.blobs.put(`ledger/${appended}`, Buffer.from(String(appended)))
      await engine.table.put({ partition: 'ledger', sort: String(appended), value: appended }, 'any')
      if (appended > 3) {
        await engine.table.delete({ partition: 'ledger', sort: String(appended - 3) }, 'any')
        await engine.blobs.delete(`ledger/${appended - 3}`)
      }
      appended++
    }
  })()
  while (appended < 5) await engine.clock.sleep(1)
  const { bytes } = await engine.backup(join(folder, 'copy'))
  stop.abort()
  await appending
  expect(bytes).toBeGreaterThan(10_000)
  const restored = await restoreBackup({ from: join(folder, 'copy'), to: join(folder, 'again') })
  const again = await openEngine({ dataDir: join(folder, 'again') })
  const records = await readAll(again.log, 'orders')
  expectDense(records)
  expect(restored.records).toBe(records.length + 7)
  expect(await readAll(again.log, 'clicks')).toHaveLength(7)
  expect(await again.queue.depth('retry/billing')).toBe(1)
  expect(await again.table.get({ partition: 'p', sort: 's' })).toMatchObject({ value: { n: 1 } })
  expect(await text(await again.blobs.get('payload/1'))).toBe('large')
  const { items } = await again.table.query({ partition: 'ledger', limit: 100 })
  expect(items.length).toBeGreaterThan(0)
  for (const { value } of items)
    expect(await text(await again.blobs.get(`ledger/${value}`))).toBe(String(value))
})

test('a target that is not empty is refused, by both', async () => {
  const folder = await temporaryFolder()
  const engine = await openEngine({ dataDir: join(folder, 'data') })
  await fill(engine)
  await expect(engine.backup(folder)).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  await engine.backup(join(folder, 'copy'))
  const refused = restoreBackup({ from: join(folder, 'copy'), to: join(folder, 'data') })
  await expect(refused).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  expect(await readAll(engine.log, 'orders')).toHaveLength(20)
})

test('a backup is not run on: it would no longer be what was backed up', async () => {
  const folder = await temporaryFolder()
  const engine = await openEngine({ dataDir: join(folder, 'data') })
  await fill(engine)
  await engine.backup(join(folder, 'copy'))
  await expect(openEmbedded({ dataDir: join(folder, 'copy') })).rejects.toMatchObject({
    code: 'EDDY_DATA_DIR_FOREIGN',
    message: expect.stringContaining('eddy restore'),
  })
})

describe('a copy that is not whole is not placed', () => {
  let copy: string

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eddy-embedded-'))
    const engine = await openEmbedded({ dataDir: join(folder, 'data') })
    await fill(engine)
    copy = join(folder, 'copy')
    await engine.backup(copy)
    await engine.close()
    return () => rm(folder, { recursive: true, force: true })
  })

  async function restoreBroken(breakIt: (from: string) => Promise<void>): Promise<unknown> {
    const folder = await temporaryFolder()
    const from = join(folder, 'copy')
    await cp(copy, from, { recursive: true })
    await breakIt(from)
    const error = await restoreBackup({ from, to: join(folder, 'to') }).catch((reason: unknown) => reason)
    expect((await readdir(folder)).sort()).toEqual(['copy'])
    return error
  }

  test('changed bytes of a record', async () => {
    const error = await restoreBroken(async (from) => {
      const file = join(from, 'store', 'data.mdb')
      const at = (await readFile(file)).indexOf('needle-7')
      const handle = await open(file, 'r+')
      await handle.write(Buffer.from('X'), 0, 1, at)
      await handle.close()
    })
    expect(error).toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
  })

  test('a missing blob, a missing store, a missing manifest', async () => {
    for (const name of ['blobs', 'store', 'os-store', 'backup.json']) {
      const error = await restoreBroken((from) => rm(join(from, name), { recursive: true }))
      expect(error, name).toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
    }
  })

  test('another number of entries than was copied', async () => {
    const error = await restoreBroken(async (from) => {
      const path = join(from, 'backup.json')
      const manifest = JSON.parse(await readFile(path, 'utf8'))
      manifest.entries['store/items']++
      await writeFile(path, JSON.stringify(manifest))
    })
    expect(error).toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
  })

  test('another format, or no copy at all', async () => {
    const version = await restoreBroken((from) =>
      writeFile(join(from, 'eddy.json'), JSON.stringify({ kind: 'eddy-data', format: 7 })),
    )
    expect(version).toMatchObject({ code: 'EDDY_DATA_DIR_VERSION' })
    const empty = await restoreBroken((from) =>
      rm(from, { recursive: true }).then(() => cp(join(copy, 'blobs'), from, { recursive: true })),
    )
    expect(empty).toMatchObject({ code: 'EDDY_DATA_DIR_FOREIGN' })
  })
})
