import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eddy, type RealProcess, spawnEddy, startEddy, until } from '../support/real-server.ts'
import { runCommand } from '../support/run-command.ts'

let cwd: string
const running: RealProcess[] = []
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'eddy-life-'))
})
afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill('SIGKILL')
    await exited
  }
  await rm(cwd, { recursive: true })
})

async function start(app: string, ...argv: string[]) {
  await writeFile(join(cwd, 'app.ts'), app)
  const started = await startEddy(['app.ts', '--data', 'data', ...argv], cwd)
  running.push(started)
  return started
}

const appWith = (handle: string) => `
import { appendFileSync } from 'node:fs'
import { defineApp, stream, subscribe } from 'eddy'
const s = stream('s', { shards: 2 })
export default defineApp({ subscriptions: [subscribe('sub', s, { handle: ${handle} })] })
`

const ndjson = (from: number, count: number) =>
  Array.from(
    { length: count },
    (_, n) => `${JSON.stringify({ id: `k${(from + n) % 50}`, n: from + n })}\n`,
  ).join('')

async function storedIn(url: string): Promise<{ id: string; n: number }[]> {
  const { stdout } = await runCommand(['tail', 's', '--from', 'trim_horizon', '--no-follow'], { url })
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: { data: { id: string; n: number } } }).event.data)
}

describe('the life of eddy start', () => {
  it('finishes what is in flight on SIGTERM, saves checkpoints, ends with 0, and starts where it stopped', async () => {
    const app = appWith(`async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      appendFileSync('handled', data.n + '\\n')
    }`)
    const first = await start(app, '--port', '0')
    await runCommand(['put', 's', '--key', 'id'], { url: first.url, stdin: ndjson(0, 3) })
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    const second = await start(app, '--port', '0')
    await runCommand(['put', 's', '--key', 'id'], { url: second.url, stdin: ndjson(3, 1) })
    const { readFileSync } = await import('node:fs')
    const handled = () => readFileSync(join(cwd, 'handled'), 'utf8').trim().split('\n').map(Number)
    await until(() => handled().includes(3))
    expect([...handled()].sort()).toEqual([0, 1, 2, 3])
  })

  it('does not wait longer than --shutdown-timeout for a handler that never ends; the event comes again', async () => {
    const app = appWith(`() => { appendFileSync('begun', '.'); return new Promise(() => {}) }`)
    const first = await start(app, '--port', '0', '--shutdown-timeout', '500ms')
    await runCommand(['put', 's', '--key', 'id'], { url: first.url, stdin: ndjson(0, 1) })
    const { existsSync, readFileSync } = await import('node:fs')
    const begun = () => (existsSync(join(cwd, 'begun')) ? readFileSync(join(cwd, 'begun'), 'utf8').length : 0)
    await until(() => begun() === 1)
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    await start(app, '--port', '0')
    await until(() => begun() === 2)
  })

  it('ends at once with 130 on a second signal', async () => {
    const app = appWith(`() => { appendFileSync('begun', '.'); return new Promise(() => {}) }`)
    const { child, exited, url } = await start(app, '--port', '0')
    await runCommand(['put', 's', '--key', 'id'], { url, stdin: ndjson(0, 1) })
    const { existsSync } = await import('node:fs')
    await until(() => existsSync(join(cwd, 'begun')))
    child.kill('SIGTERM')
    // The first one has arrived once the server answers no more.
    await until(async () => (await runCommand(['streams', 'list'], { url })).exitCode === 4)
    child.kill('SIGINT')
    expect(await exited).toBe(130)
  })

  it('logs an error that nobody caught and ends with 1', async () => {
    const app = appWith(`() => { setTimeout(() => { throw new Error('nobody catches this') }, 1) }`)
    const { exited, url, stderr } = await start(app, '--port', '0')
    await runCommand(['put', 's', '--key', 'id', '--give-up-after', '1ms'], { url, stdin: ndjson(0, 1) })
    expect(await exited).toBe(1)
    expect(stderr()).toContain('nobody catches this')
  })

  it('loses and doubles nothing when the server is killed while a put runs (I1, I2)', async () => {
    const app = appWith('() => {}')
    const first = await start(app, '--port', '0')
    const put = spawnEddy(['put', 's', '--key', 'id', '--batch', '50', '--json'], { cwd, url: first.url })
    running.push(put)
    const feed = (async () => {
      for (let n = 0; n < 6_000; n += 50) {
        put.child.stdin?.write(ndjson(n, 50))
        await new Promise((resolve) => setTimeout(resolve, 4))
      }
      put.child.stdin?.end()
    })()
    await until(async () => (await storedIn(first.url)).length > 500)
    let last = first
    for (let kills = 0; kills < 2; kills += 1) {
      last.child.kill('SIGKILL')
      expect(await last.exited).toBe(137)
      last = await start(app, '--port', String(first.port))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await feed
    expect(await put.exited, put.stderr()).toBe(0)
    expect(JSON.parse(put.stdout())).toMatchObject({ sent: 6_000, failed: 0 })
    const stored = await storedIn(last.url)
    expect(stored.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 6_000 }, (_, n) => n))
    const lastOf = new Map<string, number>()
    for (const { id, n } of stored) {
      expect(n).toBeGreaterThan(lastOf.get(id) ?? -1)
      lastOf.set(id, n)
    }
  })

  it('says so when the application file waits for what never comes, and exits 4', async () => {
    await writeFile(join(cwd, 'app.ts'), 'await new Promise(() => {})\nexport default 1\n')
    const { exitCode, stdout, stderr } = await eddy(['start', 'app.ts', '--data', 'data', '--json'], { cwd })
    expect(exitCode).toBe(4)
    expect(stdout).toBe('')
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'EDDY_APP_LOAD',
      detail: expect.stringContaining('a top-level await of it never settles'),
    })
  })
})
