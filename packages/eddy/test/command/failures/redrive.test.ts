import type { RedriveJob } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer } from '../support/fake-server.ts'
import { interruptWith, runCommand } from '../support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const JOB: RedriveJob = {
  id: 'r-1',
  state: 'preparing',
  filter: { status: 'dead' },
  by: 'ada',
  ratePerSecond: 50,
  createdAtMs: 1,
  total: 0,
  enqueued: 0,
  skipped: 0,
}

/** A server whose job moves on with every look at it. */
async function redriveServer(
  options: { readonly outOfOrder?: number; readonly end?: Partial<RedriveJob> } = {},
) {
  const states: Partial<RedriveJob>[] = [
    { state: 'running', total: 10, enqueued: 4 },
    options.end ?? { state: 'done', total: 10, enqueued: 10 },
  ]
  let looks = 0
  server = await fakeServer(({ method, path, body }) => {
    if (path.endsWith('/cancel')) return { json: { ...JOB, state: 'cancelled' } }
    if (method === 'GET' && path === '/v1/redrives') return { json: [JOB] }
    if (method === 'GET') {
      looks += 1
      return { json: { ...JOB, ...states[Math.min(looks, states.length) - 1] } }
    }
    const { dryRun } = JSON.parse(body) as { dryRun?: boolean }
    if (dryRun !== true) return { status: 202, json: JOB }
    const subscriptions = [{ subscription: 'billing', count: 10 }]
    return { json: { count: 10, outOfOrder: options.outOfOrder ?? 0, subscriptions } }
  })
  return server
}

const started = () =>
  (server as FakeServer).requests
    .filter(({ method, path }) => method === 'POST' && path === '/v1/redrives')
    .map(({ body }) => JSON.parse(body) as { dryRun?: boolean; allowOutOfOrder?: boolean })
    .filter(({ dryRun }) => dryRun !== true)

describe('eddy failures redrive', () => {
  it('shows the plan with --dry-run and starts nothing', async () => {
    const { url } = await redriveServer({ outOfOrder: 2 })
    const { exitCode, stdout } = await runCommand(['failures', 'redrive', '--dry-run'], { url })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('would redrive 10 failures\n  10 of billing\n  2 would be handled after later')
    expect(started()).toEqual([])
  })

  it('starts a job with what was asked, stays until it ends, and says what became of it (I8)', async () => {
    const { url } = await redriveServer()
    const filters = ['--subscription', 'billing', '--error', 'Timeout', '--rate', '50', '--limit', '10']
    const argv = ['failures', 'redrive', ...filters, '--by', 'ada', '--yes']
    const { exitCode, stdout } = await runCommand(argv, { url })
    expect(exitCode).toBe(0)
    expect(stdout).toBe('redrive r-1 done: 10 of 10 events sent to be handled again\n')
    expect(started()).toEqual([
      {
        filter: { status: 'dead', subscription: 'billing', error: 'Timeout' },
        ratePerSecond: 50,
        limit: 10,
        by: 'ada',
      },
    ])
  })

  it('exits 3 when some were skipped and 1 when the job was cancelled', async () => {
    const partial = await redriveServer({ end: { state: 'done', total: 10, enqueued: 8, skipped: 2 } })
    expect(await runCommand(['failures', 'redrive', '--yes'], partial)).toMatchObject({ exitCode: 3 })
    await partial.close()
    const cancelled = await redriveServer({ end: { state: 'cancelled', total: 10, enqueued: 4 } })
    expect(await runCommand(['failures', 'redrive', '--yes'], cancelled)).toMatchObject({ exitCode: 1 })
  })

  it('detaches on Ctrl-C, never cancels, and says how to come back', async () => {
    const { url, requests } = await redriveServer({ end: { state: 'running', total: 10, enqueued: 4 } })
    const interrupt = new AbortController()
    const running = runCommand(['failures', 'redrive', '--yes'], { url, interrupt })
    while (!requests.some(({ path }) => path === '/v1/redrives/r-1')) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    interruptWith(interrupt)
    const { exitCode, stderr } = await running
    expect(exitCode).toBe(130)
    expect(stderr).toContain('eddy failures redrive --job r-1')
    expect(requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false)
  })

  it('needs agreement to disorder of its own: --yes is not enough', async () => {
    const { url } = await redriveServer({ outOfOrder: 2 })
    expect(await runCommand(['failures', 'redrive', '--yes'], { url })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('--allow-out-of-order'),
    })
    expect(await runCommand(['failures', 'redrive'], { url, answers: ['n'] })).toMatchObject({ exitCode: 1 })
    expect(started()).toEqual([])
    expect(await runCommand(['failures', 'redrive'], { url, answers: ['y', 'y'] })).toMatchObject({
      exitCode: 0,
    })
    expect(started()).toMatchObject([{ allowOutOfOrder: true }])
  })

  it('leaves at once with --detach', async () => {
    const { url, requests } = await redriveServer()
    const argv = ['failures', 'redrive', '--yes', '--detach', '--json']
    const { exitCode, stdout } = await runCommand(argv, { url })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ id: 'r-1', state: 'preparing' })
    expect(requests.every(({ method }) => method === 'POST')).toBe(true)
  })

  it('lists jobs, comes back to one by --job or --status, and cancels one', async () => {
    const { url, requests } = await redriveServer()
    expect((await runCommand(['failures', 'redrive', '--list'], { url })).stdout).toContain('r-1  preparing')
    expect((await runCommand(['failures', 'redrive', '--status', 'r-1'], { url })).stdout).toContain(
      'r-1 done',
    )
    expect((await runCommand(['failures', 'redrive', '--job', 'r-1'], { url })).stdout).toContain('r-1 done')
    await runCommand(['failures', 'redrive', '--cancel', 'r-1'], { url })
    expect(requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/redrives/r-1/cancel' })
    expect(await runCommand(['failures', 'redrive', '--list', '--cancel', 'x'], { url })).toMatchObject({
      exitCode: 2,
    })
  })

  it('mentions what waits for a person when nothing is dead', async () => {
    server = await fakeServer(({ body }) => {
      const { filter } = JSON.parse(body) as { filter: { status: string } }
      return { json: { count: filter.status === 'held' ? 2 : 0, outOfOrder: 0, subscriptions: [] } }
    })
    for (const argv of [['--dry-run'], ['--yes']]) {
      const run = await runCommand(['failures', 'redrive', '--subscription', 'billing', ...argv], server)
      expect(run.exitCode).toBe(0)
      expect(run.stderr).toContain('2 held ones wait for a person: repeat the command with --status held')
    }
  })
})
