import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer } from '../support/fake-server.ts'
import { runCommand } from '../support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const bodies = () =>
  (server as FakeServer).requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

describe('eddy failures drop and archive', () => {
  const bulk = async (changed = 3) => {
    server = await fakeServer(({ body }) => {
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
