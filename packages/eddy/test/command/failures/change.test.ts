import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer, problem } from '../support/fake-server.ts'
import { runCommand } from '../support/run-command.ts'
import { failureDetail } from './ledger-items.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const bodies = () =>
  (server as FakeServer).requests
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)

describe('eddy failures drop and archive', () => {
  const bulk = async (changed = 3) => {
    server = await fakeServer(({ method, path, body }) => {
      if (method === 'GET') {
        if (/gone/.test(path)) return problem(404, 'EDDY_FAILURE_NOT_FOUND', 'none')
        return { json: failureDetail() }
      }
      const { dryRun = false } = JSON.parse(body) as { dryRun?: boolean }
      return { json: { matched: 3, changed: dryRun ? 0 : changed, dryRun } }
    })
    return server.url
  }

  it('counts with --dry-run and changes nothing', async () => {
    const url = await bulk()
    const run = await runCommand(['failures', 'drop', '--subscription', 'billing', '--dry-run'], { url })
    expect(run).toMatchObject({ exitCode: 0, stdout: '3 failures would be dropped\n' })
    expect(bodies()).toMatchObject([{ filter: { status: 'dead', subscription: 'billing' }, dryRun: true }])
  })

  it('needs --yes where there is no terminal, after it has said how many', async () => {
    const url = await bulk()
    const { exitCode, stderr } = await runCommand(['failures', 'archive'], { url })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('3 failures (status "dead") will be archived')
    expect(stderr).toContain('--yes or --dry-run')
    expect(bodies()).toHaveLength(1)
  })

  it('asks on a terminal: no changes nothing, yes goes on', async () => {
    const url = await bulk()
    expect(await runCommand(['failures', 'drop'], { url, answers: ['n'] })).toMatchObject({ exitCode: 1 })
    expect(bodies()).toHaveLength(1)
    const run = await runCommand(['failures', 'drop', '--by', 'ada', '--note', 'why'], {
      url,
      answers: ['y'],
    })
    expect(run).toMatchObject({ exitCode: 0, stdout: '3 failures dropped\n' })
    expect(bodies().at(-1)).toEqual({ filter: { status: 'dead' }, by: 'ada', note: 'why' })
  })

  it('acts on exactly the ids named, and exits 3 when some had changed meanwhile', async () => {
    const url = await bulk(2)
    const run = await runCommand(['failures', 'drop', 'a', 'b', 'c', '--yes', '--json'], { url })
    expect(run.exitCode).toBe(3)
    expect(JSON.parse(run.stdout)).toEqual({ matched: 3, changed: 2, dryRun: false })
    expect(bodies()).toMatchObject([{ filter: { ids: ['a', 'b', 'c'] } }])
  })

  it('names the ids that do not exist: exit 1 when all are missing, 3 when some are', async () => {
    const url = await bulk()
    for (const argv of [
      ['drop', '--yes'],
      ['archive', '--dry-run'],
      ['redrive', '--dry-run'],
    ]) {
      const run = await runCommand(['failures', ...argv, 'gone-1', 'gone-2'], { url })
      expect(run, argv.join(' ')).toMatchObject({ exitCode: 1, stdout: '' })
      expect(run.stderr).toContain('gone-1, gone-2')
    }
    expect(bodies()).toEqual([])
    const some = await runCommand(['failures', 'drop', 'a', 'b', 'c', 'gone-1', '--yes'], { url })
    expect(some).toMatchObject({ exitCode: 3, stdout: '3 failures dropped\n' })
    expect(some.stderr).toBe('1 failure of 4 named does not exist: gone-1\n')
  })

  it('is no success when a failure that is named was not changed', async () => {
    const url = await bulk()
    const run = await runCommand(['failures', 'drop', 'a', 'b', 'c', 'd', '--dry-run'], { url })
    expect(run).toMatchObject({ exitCode: 3 })
    expect(run.stderr).toContain('1 failure of 4 named cannot be changed so')
  })
})

describe('eddy streams delete', () => {
  const stream = { name: 'orders', shards: [{}, {}], subscriptions: ['billing'] }

  it('asks on a terminal, needs --yes elsewhere, deletes after it', async () => {
    server = await fakeServer(({ method }) => (method === 'DELETE' ? { status: 204 } : { json: stream }))
    const { url, requests } = server
    const refused = await runCommand(['streams', 'delete', 'orders'], { url })
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('It is read by billing') })
    expect(await runCommand(['streams', 'delete', 'orders'], { url, answers: [''] })).toMatchObject({
      exitCode: 1,
    })
    expect(await runCommand(['streams', 'delete', 'orders', '--dry-run'], { url })).toMatchObject({
      exitCode: 0,
    })
    expect(requests.every(({ method }) => method === 'GET')).toBe(true)
    expect(await runCommand(['streams', 'delete', 'orders', '--yes'], { url })).toMatchObject({ exitCode: 0 })
    expect(requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/streams/orders' })
  })
})
