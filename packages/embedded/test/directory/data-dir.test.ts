import { spawn, spawnSync } from 'node:child_process'
import { cp, mkdir, open, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DataDirLockedError } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { expect, test } from 'vitest'
import { entries, openEngine, readAll, streamSpec } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a second opener is told who holds the directory, and where', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEngine({ dataDir })
  await engine.setAddress('http://127.0.0.1:4010')
  const error = await openEmbedded({ dataDir }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(DataDirLockedError)
  expect(error).toMatchObject({ details: { pid: process.pid, address: 'http://127.0.0.1:4010' } })
  expect(JSON.parse(await readFile(join(dataDir, 'owner.json'), 'utf8'))).toMatchObject({ pid: process.pid })
})

test('of openers racing for a directory exactly one wins, also to take over from a dead owner', async () => {
  const folder = await temporaryFolder()
  const dataDir = join(folder, 'data')
  for (let round = 0; round < 5; round++) {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openEmbedded({ dataDir })))
    const won = results.filter((result) => result.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(DataDirLockedError)
    }
    await won[0]?.value.close()
    await leaveDeadOwner(dataDir)
  }
})

/** Writes the guard of a process that is gone, as kill -9 leaves it. */
async function leaveDeadOwner(dataDir: string): Promise<void> {
  const guard = join(dataDir, 'guard')
  const [name] = (await readdir(guard)).sort((a, b) => Number(b) - Number(a))
  const path = join(guard, name as string)
  const dead = spawnSync(process.execPath, ['-e', ''])
  const text = JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), pid: dead.pid, released: false })
  await writeFile(path, text)
}

test('a process number that was used again does not keep the directory taken', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  await (await openEmbedded({ dataDir })).close()
  const guard = join(dataDir, 'guard', (await readdir(join(dataDir, 'guard')))[0] as string)
  const stored = JSON.parse(await readFile(guard, 'utf8'))
  // This process runs, but it did not start when the owner did.
  await writeFile(guard, JSON.stringify({ ...stored, pid: process.pid, startTicks: '1', released: false }))
  await openEngine({ dataDir })
})

test('an owner that runs where it cannot be looked at counts as alive while it gives signs of life', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  await (await openEmbedded({ dataDir })).close()
  const guard = join(dataDir, 'guard', (await readdir(join(dataDir, 'guard')))[0] as string)
  const stored = JSON.parse(await readFile(guard, 'utf8'))
  await writeFile(guard, JSON.stringify({ ...stored, host: 'elsewhere', bootId: 'other', released: false }))
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({ code: 'EDDY_DATA_DIR_LOCKED' })
  const longAgo = new Date(Date.now() - 60_000)
  await utimes(guard, longAgo, longAgo)
  await openEngine({ dataDir })
})

test('a guard that lost its text in a power cut does not keep the directory taken', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  await (await openEmbedded({ dataDir })).close()
  await truncate(join(dataDir, 'guard', (await readdir(join(dataDir, 'guard')))[0] as string), 0)
  await openEngine({ dataDir })
})

test('a foreign directory is refused and left as it was found', async () => {
  const dataDir = await temporaryFolder()
  await writeFile(join(dataDir, 'photo.jpg'), 'x')
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({ code: 'EDDY_DATA_DIR_FOREIGN' })
  expect(await readdir(dataDir)).toEqual(['photo.jpg'])
  const file = join(dataDir, 'photo.jpg')
  await expect(openEmbedded({ dataDir: file })).rejects.toMatchObject({ code: 'EDDY_DATA_DIR_FOREIGN' })
})

test('an unknown format version is refused and left as it was found', async () => {
  const dataDir = await temporaryFolder()
  const text = JSON.stringify({ kind: 'eddy-data', format: 99, createdAtMs: 1 })
  await writeFile(join(dataDir, 'eddy.json'), text)
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({
    code: 'EDDY_DATA_DIR_VERSION',
    details: { found: '99' },
  })
  expect(await readdir(dataDir)).toEqual(['eddy.json'])
  await writeFile(join(dataDir, 'eddy.json'), '{')
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
})

test('a directory that cannot be written is refused with the next step', async ({ skip }) => {
  const folder = await temporaryFolder()
  const dataDir = join(folder, 'data')
  await (await openEmbedded({ dataDir })).close()
  const before = await readdir(dataDir)
  // File modes do not bind root; a read-only mount does.
  const mounted = spawnSync('sh', ['-c', 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"', dataDir])
  if (mounted.status !== 0) skip('read-only mounts are not allowed here')
  try {
    await expect(openEmbedded({ dataDir })).rejects.toMatchObject({
      code: 'EDDY_STORAGE',
      message: expect.stringContaining('Make it writable'),
    })
    expect(await readdir(dataDir)).toEqual(before)
    const reading = await openEmbedded({ dataDir, readOnly: true })
    expect(await reading.log.listStreams()).toEqual([])
    await reading.close()
  } finally {
    spawnSync('umount', ['-l', dataDir])
  }
})

test('readOnly reads what is there and refuses every write', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir })
  await engine.log.createStream(streamSpec('orders'))
  await engine.log.append('orders', entries(3))
  await engine.close()
  const reading = await openEngine({ dataDir, readOnly: true })
  expect(await readAll(reading.log, 'orders')).toHaveLength(3)
  await expect(reading.log.append('orders', entries(1))).rejects.toMatchObject({ code: 'EDDY_READ_ONLY' })
  await expect(reading.queue.send('q', [])).rejects.toMatchObject({ code: 'EDDY_READ_ONLY' })
})

test('an unclean stop is visible, an orderly one too', async () => {
  const folder = await temporaryFolder()
  const dataDir = join(folder, 'data')
  const engine = await openEngine({ dataDir })
  expect(engine.wasClean).toBe(true)
  const left = join(folder, 'left')
  await cp(dataDir, left, { recursive: true, filter: (path) => !/guard|owner\.json|lock\.mdb/.test(path) })
  expect((await openEngine({ dataDir: left })).wasClean).toBe(false)
  await engine.close()
  expect((await openEngine({ dataDir })).wasClean).toBe(true)
})

test('a store that was cut off or is something else is refused, and says how to go on', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir })
  await engine.log.createStream(streamSpec('orders'))
  await engine.log.append('orders', entries(100, 'e', 1_000))
  await engine.close()
  const file = join(dataDir, 'store', 'data.mdb')
  const { size } = await stat(file)
  await truncate(file, Math.floor(size / 2 / 4_096) * 4_096)
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({
    code: 'EDDY_CORRUPT_DATA',
    message: expect.stringContaining('eddy restore'),
  })
  await writeFile(file, 'x'.repeat(10_000))
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
})

test('a chunk whose bytes changed is refused when it is read, not handed out', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir })
  await engine.log.createStream(streamSpec('orders'))
  await engine.log.append('orders', entries(10, 'needle', 5_000))
  await engine.close()
  const file = join(dataDir, 'store', 'data.mdb')
  const at = (await readFile(file)).indexOf('needle-7')
  const handle = await open(file, 'r+')
  await handle.write(Buffer.from('X'), 0, 1, at)
  await handle.close()
  const again = await openEngine({ dataDir })
  await expect(readAll(again.log, 'orders')).rejects.toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
  const whole = { stream: 'orders', shardId: 'shardId-000000000000', maxRecords: 10, maxBytes: 1_000_000 }
  const each = again.log.readEach?.({ ...whole, from: { at: 'trim_horizon' } }, () => {})
  await expect(each).rejects.toMatchObject({ code: 'EDDY_CORRUPT_DATA' })
})

test('a full disk refuses the write with the next step; writes work again when there is room', async ({
  skip,
}) => {
  const mount = await temporaryFolder()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', mount]).status !== 0) {
    skip('mounting a small file system is not allowed here')
  }
  const dataDir = join(mount, 'data')
  const engine = await openEmbedded({ dataDir })
  try {
    await engine.log.createStream(streamSpec('orders'))
    await engine.log.append('orders', entries(5))
    await mkdir(join(mount, 'other'))
    await writeFile(join(mount, 'other', 'ballast'), Buffer.alloc(9 * 1024 * 1024))
    const refused = engine.log.append('orders', entries(4, 'big', 1_000_000))
    await expect(refused).rejects.toMatchObject({
      code: 'EDDY_STORAGE',
      message: expect.stringContaining('full'),
    })
    await expect(engine.queue.send('q', [{ body: 'x'.repeat(60_000), delayMs: 0 }])).resolves.toBeDefined()
    await writeFile(join(mount, 'other', 'ballast'), '')
    const results = await engine.log.append('orders', entries(3, 'later'))
    expect(results.map((result) => result.ok && result.sequenceNumber)).toEqual([
      '1000000000000005',
      '1000000000000006',
      '1000000000000007',
    ])
    expect(await readAll(engine.log, 'orders')).toHaveLength(8)
    expect(engine.stats().failedCommits).toBeGreaterThan(0)
  } finally {
    await engine.close()
    spawnSync('umount', ['-l', mount])
  }
})

test('a process that is killed leaves a directory the next one opens at once', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const program = `import { openEmbedded } from '@eddy/embedded'; await openEmbedded({ dataDir: process.argv[1] }); console.log('open')`
  const cwd = new URL('..', import.meta.url)
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, dataDir], { cwd })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await expect(openEmbedded({ dataDir })).rejects.toMatchObject({ details: { pid: child.pid } })
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  expect((await openEngine({ dataDir })).wasClean).toBe(false)
})
