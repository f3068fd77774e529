import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FailureDetail, LedgerItem, SubscriptionStatus } from '@eddy/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eddy, type StartedEddy, spawnEddy, startEddy, until } from '../support/real-server.ts'
import { runCommand } from '../support/run-command.ts'
import { APP_SOURCE } from './app-source.ts'

let cwd: string
let server: StartedEddy

const order = (n: number) => ({ id: `o-${n}`, customer: `c-${n % 4}`, amount: n === 6 ? 0 : n * 10 })
const ndjson = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `${JSON.stringify(order(from + n))}\n`).join('')

/** The command as a process of its own. */
async function run(argv: readonly string[], stdin = '') {
  return await eddy(argv, { cwd, url: server.url, stdin })
}
/** The same command line in this process, for what is looked at between, often or only for its answer. */
async function ask(argv: readonly string[]) {
  return await runCommand(argv, { url: server.url })
}
async function json<T>(...argv: string[]): Promise<T> {
  const { stdout, stderr, exitCode } = await ask([...argv, '--json'])
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout) as T
}
const failures = async (...filters: string[]) =>
  (await json<{ items: LedgerItem[] }>('failures', 'list', ...filters)).items

beforeAll(async () => {
  // Outside the repository, so that `eddy` resolves from the running installation.
  cwd = await mkdtemp(join(tmpdir(), 'eddy-e2e-'))
  await writeFile(join(cwd, 'app.ts'), APP_SOURCE)
  server = await startEddy(['app.ts', '--data', 'data', '--port', '0'], cwd)
})
afterAll(async () => {
  server.child.kill('SIGKILL')
  await server.exited
  await rm(cwd, { recursive: true })
})

describe('a real server and the command', () => {
  it('puts, tails, and shows lag and failures', async () => {
    const put = await run(['put', 'orders', '--key', 'customer'], `${ndjson(1, 9)}not json\n`)
    expect(put).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('sent 8, failed 1') })
    const tail = await run(['tail', 'orders', '--from', 'trim_horizon', '--limit', '8'])
    const orders = tail.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: { data: { id: string } } }).event.data)
    expect(orders.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `o-${n}`))
    await until(async () => {
      const [billing, mail] = await json<SubscriptionStatus[]>('subscriptions', 'list')
      return billing?.held === 1 && mail?.dead === 2
    })
    expect((await ask(['subscriptions', 'show', 'billing'])).stdout).toContain('held 1 (1 key)')
    expect((await ask(['streams', 'show', 'orders'])).stdout).toContain('read by billing, mail')
  })

  it('edits a held event: a second edit of the same item is refused, the key flows on', async () => {
    const [held] = await failures('--subscription', 'billing')
    expect((held as LedgerItem).status).toBe('held')
    const id = (held as LedgerItem).id
    expect((await ask(['failures', 'show', id])).stdout).toContain('PaymentDeclined: order o-6: amount 0')
    const { payload } = await json<FailureDetail>('failures', 'show', id)
    const event = JSON.parse(payload?.content ?? '') as { data: { amount: number } }
    event.data.amount = 60
    await writeFile(join(cwd, 'fixed.json'), JSON.stringify(event))
    const edit = ['failures', 'edit', id, '--file', 'fixed.json', '--yes']
    expect(await run(edit)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('+    "amount": 60'),
    })
    expect(await ask([...edit.slice(0, 4), join(cwd, 'fixed.json'), '--yes'])).toMatchObject({ exitCode: 1 })
    await until(async () => (await json<SubscriptionStatus>('subscriptions', 'show', 'billing')).held === 0)
    expect(await failures('--subscription', 'billing', '--status', 'resolved')).toHaveLength(2)
  })

  it('plans, redrives and follows the job, then drops what stays dead', async () => {
    const plan = await ask(['failures', 'redrive', '--subscription', 'mail', '--dry-run'])
    expect(plan.stdout).toContain('would redrive 2 failures\n  2 of mail')
    expect(await ask(['failures', 'redrive', '--subscription', 'mail'])).toMatchObject({ exitCode: 2 })
    const redrive = await run(['failures', 'redrive', '--subscription', 'mail', '--yes'])
    expect(redrive).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 of 2 events') })
    await until(async () =>
      (await failures('--status', 'dead')).every(({ redrives }) => redrives.length === 1),
    )
    await until(async () => (await failures('--status', 'dead')).length === 2)
    expect(await ask(['failures', 'drop', '--subscription', 'mail', '--yes'])).toMatchObject({
      exitCode: 0,
      stdout: '2 failures dropped\n',
    })
    expect(await failures('--status', 'dead')).toEqual([])
  })

  it('creates, splits, merges and deletes a stream', async () => {
    expect(await ask(['streams', 'create', 'spare', '--shards', '1'])).toMatchObject({ exitCode: 0 })
    expect(await ask(['streams', 'create', 'spare'])).toMatchObject({ exitCode: 1 })
    expect(await ask(['streams', 'split', 'spare', 'shardId-000000000000'])).toMatchObject({ exitCode: 0 })
    const merged = await ask(['streams', 'merge', 'spare', 'shardId-000000000001'])
    expect(merged.stdout).toMatch(/shardId-000000000003 +open .* shardId-000000000001, shardId-000000000002/)
    expect(await ask(['streams', 'delete', 'spare', '--yes'])).toMatchObject({ exitCode: 0 })
    expect(await ask(['streams', 'show', 'spare'])).toMatchObject({ exitCode: 1 })
  })

  it('ends a tail with 130 on Ctrl-C and with 0 when its reader leaves', async () => {
    const tail = spawnEddy(['tail', 'orders', '--from', 'trim_horizon'], { cwd, url: server.url })
    await until(() => tail.stdout().split('\n').length > 8)
    tail.child.kill('SIGINT')
    expect(await tail.exited).toBe(130)
    const head = spawnEddy(['tail', 'orders', '--from', 'trim_horizon'], { cwd, url: server.url })
    head.child.stdout?.destroy()
    expect(await head.exited).toBe(0)
  })

  it('backs up while running, restores, and opens the copy', async () => {
    expect(await run(['backup', 'copy'])).toMatchObject({ exitCode: 0 })
    expect(await run(['backup', 'copy'])).toMatchObject({ exitCode: 4 })
    expect(await run(['restore', 'copy', 'restored'])).toMatchObject({ exitCode: 0 })
    expect(await ask(['restore', join(cwd, 'copy'), join(cwd, 'restored')])).toMatchObject({ exitCode: 4 })
    expect(await ask(['restore', join(cwd, 'none'), join(cwd, 'other')])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('it does not exist'),
    })
    const copy = await startEddy(['app.ts', '--data', 'restored', '--port', '0'], cwd)
    const tail = await eddy(['tail', 'orders', '--from', 'trim_horizon', '--no-follow'], {
      cwd,
      url: copy.url,
    })
    expect(tail.stdout.trim().split('\n')).toHaveLength(8)
    copy.child.kill('SIGTERM')
    expect(await copy.exited).toBe(0)
  })

  it('refuses to be seen from outside without a token: exit 4', async () => {
    const open = await ask(['start', '--data', join(cwd, 'other'), '--port', '0', '--host', '0.0.0.0'])
    expect(open).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--token') })
  })
})
