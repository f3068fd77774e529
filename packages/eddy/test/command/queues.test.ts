import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, queue, subscribe } from '@eddy/core'
import { serve } from '@eddy/server'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { Eddy } from '../../src/eddy.ts'
import { open } from '../../src/open.ts'
import { type CommandRun, type RunOptions, runCommand } from './support/run-command.ts'

/** A real server over the embedded engine, whose queues nobody empties. */
const emails = queue('emails', { group: 'to' })
const tasks = queue('tasks')
const app = defineApp({
  queues: [tasks],
  subscriptions: [subscribe('mailer', emails, { failure: { blocks: 'nothing' }, handle: () => {} })],
})

let folder = ''
let eddy: Eddy
let server: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-queues-'))
  eddy = await open(app, { dataDir: join(folder, 'data') })
  await eddy.operations.pauseSubscription('mailer')
  server = await serve({ operations: eddy.operations, host: '127.0.0.1', port: 0, version: 'test' })
})

beforeEach(async () => {
  for (const name of ['emails', 'tasks']) await eddy.operations.purgeQueue(name)
})

afterAll(async () => {
  await server.close()
  await eddy.close()
  await rm(folder, { recursive: true, force: true })
})

function run(argv: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  return runCommand(argv, { url: server.url, ...options })
}

const depthOf = async (name: string) => await eddy.operations.showQueue(name)

describe('eddy queues', () => {
  it('lists and shows what waits, also as JSON', async () => {
    await eddy.send(tasks, [{ data: 1 }, { data: 2, delayMs: 60_000 }])
    const { stdout } = await run(['queues', 'list'])
    expect(stdout).toMatch(/^QUEUE +GROUPS BY +READY +IN FLIGHT +DELAYED +OLDEST +SUBSCRIPTION\n/)
    expect(stdout).toMatch(/emails +to +0 +0 +0 +0 ms +mailer\n/)
    expect(stdout).toMatch(/tasks +- +1 +0 +1 +\S+ m?s +-\n/)
    const shown = (await run(['queues', 'show', 'emails'])).stdout
    expect(shown).toContain('emails  0 messages, in order by to')
    expect(shown).toContain('See what failed: eddy failures list --subscription mailer')
    expect(JSON.parse((await run(['queues', 'show', 'tasks', '--json'])).stdout)).toMatchObject({
      name: 'tasks',
      messages: 2,
      ready: 1,
      delayed: 1,
    })
  })

  it('names a queue that does not exist, and the next step', async () => {
    expect(await run(['queues', 'show', 'taks'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('List them with: eddy queues list'),
    })
  })

  it('puts a file: bad lines go to the failed file, exit status 3; a second run with the producer id adds nothing', async () => {
    const file = join(folder, 'emails.ndjson')
    const failed = join(folder, 'bad.ndjson')
    await writeFile(file, '{"to":"ada","n":1}\n{"n":2}\nnot JSON\n{"to":"ada","n":3}\n')
    const argv = ['queues', 'put', 'emails', file, '--producer-id', 'run-1', '--failed', failed, '--json']
    const first = await run(argv)
    expect(first.exitCode).toBe(3)
    expect(JSON.parse(first.stdout)).toMatchObject({ sent: 2, failed: 2, lastLine: 4 })
    expect(await readFile(failed, 'utf8')).toContain('data.to: expected the group')
    expect(await depthOf('emails')).toMatchObject({ messages: 2 })
    expect((await run(argv)).exitCode).toBe(3)
    expect(await depthOf('emails')).toMatchObject({ messages: 2 })
  })

  it('puts with a delay, a time, a group and a deduplication id of the lines', async () => {
    const put = (more: readonly string[], stdin: string, name = 'tasks') =>
      run(['queues', 'put', name, '-', '--failed', join(folder, 'none.ndjson'), ...more], { stdin })
    expect(await put(['--delay', '15m'], '{"a":1}\n')).toMatchObject({ exitCode: 0 })
    expect(await put(['--at', '2096-01-01T00:00:00Z'], '{"a":1}\n')).toMatchObject({ exitCode: 3 })
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    expect(await put(['--at', soon], '{"a":1}\n')).toMatchObject({ exitCode: 0 })
    expect(await depthOf('tasks')).toMatchObject({ messages: 2, delayed: 2 })
    const twice = '{"id":"o-1"}\n{"id":"o-1"}\n{"id":"o-2"}\n'
    expect(await put(['--deduplication-id-field', 'id'], twice)).toMatchObject({ exitCode: 0 })
    expect(await depthOf('tasks')).toMatchObject({ messages: 4, ready: 2 })
    expect(await put(['--group', 'who.id'], '{"who":{"id":7}}\n', 'emails')).toMatchObject({ exitCode: 0 })
    expect(await put(['--delay', '1s', '--at', soon], '{}\n')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--at: expected either --delay or --at'),
    })
  })

  it('refuses a span of time as --at, which would have been in the past, and names --delay', async () => {
    for (const at of ['15m', 'soon']) {
      expect(await run(['queues', 'put', 'tasks', '-', '--at', at], { stdin: '{"a":1}\n' })).toMatchObject({
        exitCode: 2,
        stderr: `eddy: --at: expected a time such as 2026-01-31T12:00:00Z or epoch milliseconds (for a span from now: --delay 15m), received "${at}"\n`,
      })
    }
    expect(await depthOf('tasks')).toMatchObject({ messages: 0 })
  })

  it('purges after asking, with --yes, or says with --dry-run what it would do', async () => {
    await eddy.send(tasks, [{ data: 1 }, { data: 2, delayMs: 60_000 }])
    expect(await run(['queues', 'purge', 'tasks', '--dry-run'])).toMatchObject({
      exitCode: 0,
      stdout: 'would remove 2 messages of "tasks"\n',
    })
    expect(await run(['queues', 'purge', 'tasks'])).toMatchObject({ exitCode: 2 })
    expect(await run(['queues', 'purge', 'tasks'], { answers: ['n'] })).toMatchObject({ exitCode: 1 })
    expect(await depthOf('tasks')).toMatchObject({ messages: 2 })
    expect(await run(['queues', 'purge', 'tasks', '--yes', '--by', 'ada', '--json'])).toMatchObject({
      exitCode: 0,
      stdout: '{"messages":2,"dryRun":false}\n',
    })
    expect(await depthOf('tasks')).toMatchObject({ messages: 0 })
    expect((await eddy.operations.listAudit(1))[0]).toMatchObject({
      action: 'queue-purge',
      by: 'ada',
      count: 2,
    })
  })

  it('a subscription of a queue shows the queue instead of shards', async () => {
    await eddy.send(emails, { data: { to: 'ada' } })
    const { stdout } = await run(['subscriptions', 'show', 'mailer'])
    expect(stdout).toContain('mailer  on queue/emails, paused')
    expect(stdout).toContain('queue emails is paused: ready 1, in flight 0, delayed 0, buffered 0')
  })
})

describe('connect().send', () => {
  it('sends messages with an outcome each', async () => {
    const remote = await connect(server.url)
    const at = new Date(Date.now() + 60_000)
    const outcomes = await remote.send(tasks, [
      { id: 'm1', data: 1 },
      { data: 2, deduplicationId: 'd-2', at },
      { data: 3, group: 'x' },
    ])
    expect(outcomes).toMatchObject([
      { ok: true, id: 'm1', duplicate: false },
      { ok: true, id: 'd-2', duplicate: false },
      { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false },
    ])
    expect(await remote.send('tasks', { data: 2, deduplicationId: 'd-2' })).toMatchObject([
      { ok: true, duplicate: true },
    ])
    await remote.close()
    expect(await depthOf('tasks')).toMatchObject({ messages: 2, delayed: 1 })
  })

  it('a request that is repeated under its producer sequence adds nothing: so an answer may be lost', async () => {
    const request = () =>
      fetch(`${server.url}/v1/queues/tasks/messages`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'eddy-producer-id': 'p',
          'eddy-first-sequence': '7',
        },
        body: '[{"data":1},{"delay":5,"data":2},{"data":3}]',
      }).then(async (response) => (await response.json()) as { results: readonly object[] })
    // What may be sent instead is a message, and no event with a key.
    const message = expect.stringContaining(
      'member "delay" is not known. Send {"data", "group", "delayMs", …}, a ',
    )
    expect((await request()).results).toMatchObject([
      { ok: true, id: 'p/7', duplicate: false },
      { ok: false, message },
      { ok: true, id: 'p/9', duplicate: false },
    ])
    expect((await request()).results).toMatchObject([{ duplicate: true }, { ok: false }, { duplicate: true }])
    expect(await depthOf('tasks')).toMatchObject({ messages: 2 })
  })
})
