import type { PolicyDifference, PolicyState } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer, problem } from './support/fake-server.ts'
import { runCommand } from './support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const CHANGE: PolicyDifference = {
  path: 'concurrency',
  before: 16,
  after: 4,
  beforeFrom: 'file',
  afterFrom: 'override',
}

const STATE: PolicyState = {
  subscription: 'billing',
  version: 7,
  parts: [
    { path: 'concurrency', value: 4, from: 'override', file: 16, version: 7, by: 'ana', atMs: 0 },
    { path: 'failure.maxAgeMs', value: null, from: 'file', file: null },
  ],
  rejected: [{ path: 'failure.exhausted', value: 'dead-letter-key', reason: 'one of others' }],
  history: Array.from({ length: 7 }, (_, index) => ({
    version: 7 - index,
    atMs: 0,
    by: 'ana',
    note: 'slow bank',
    changes: [CHANGE],
  })),
}

const serve = async (changes: readonly PolicyDifference[] = [CHANGE]): Promise<string> => {
  server = await fakeServer(({ method, path, query, body }) => {
    if (path !== '/v1/subscriptions/billing/policy')
      return problem(404, 'EDDY_SUBSCRIPTION_NOT_FOUND', 'none')
    if (method === 'GET') return { json: STATE }
    const asked = method === 'DELETE' ? Object.fromEntries(query) : (JSON.parse(body) as object)
    const dryRun = 'dryRun' in asked
    return { json: { subscription: 'billing', version: dryRun ? 7 : 8, changes, dryRun } }
  })
  return server.url
}

const asked = (): unknown[] =>
  (server as FakeServer).requests.map(({ method, query, body }) => [
    method,
    method === 'DELETE' ? Object.fromEntries(query) : (JSON.parse(body) as unknown),
  ])

describe('eddy policy show', () => {
  it('says where each part comes from, what was rejected, and the last changes', async () => {
    const { stdout } = await runCommand(['policy', 'show', 'billing'], { url: await serve() })
    expect(stdout).toContain('billing  policy version 7')
    expect(stdout).toMatch(/concurrency +4 +version 7 by ana, file: 16/)
    expect(stdout).toMatch(/failure.maxAgeMs +- +file/)
    expect(stdout).toContain('rejected: failure.exhausted = dead-letter-key\n  one of others')
    expect(stdout).toContain(
      'version 7  1970-01-01T00:00:00.000Z by ana: slow bank\n  concurrency: 16 (file) -> 4',
    )
    expect(stdout).toContain('and 2 earlier changes: --json shows them')
  })

  it('prints the whole answer as JSON', async () => {
    const { stdout } = await runCommand(['policy', 'show', 'billing', '--json'], { url: await serve() })
    expect(JSON.parse(stdout)).toEqual(STATE)
  })
})

describe('eddy policy set', () => {
  it('sends words and JSON by path, who asks and why', async () => {
    const url = await serve()
    const run = await runCommand(
      [
        'policy',
        'set',
        'billing',
        'failure.blocks=key',
        'failure.maxAgeMs=null',
        'failure.retry={"kind":"fixed","delayMs":5}',
        '--by',
        'ana',
        '--note',
        'why',
        '--expect-version',
        '7',
      ],
      { url },
    )
    expect(run).toMatchObject({ exitCode: 0 })
    expect(run.stdout).toBe(
      'billing: policy version 8\nPART         BEFORE     AFTER\nconcurrency  16 (file)  4\n',
    )
    const set = {
      'failure.blocks': 'key',
      'failure.maxAgeMs': null,
      'failure.retry': { kind: 'fixed', delayMs: 5 },
    }
    expect(asked()).toEqual([['PATCH', { set, by: 'ana', note: 'why', expectVersion: 7 }]])
  })

  it('takes a whole policy from a file or standard input', async () => {
    const url = await serve()
    const argv = ['policy', 'set', 'billing', '--file', '-', '--by', 'ana', '--dry-run']
    const run = await runCommand(argv, { url, stdin: '{"failure":{"immediate":1}}' })
    expect(run.stdout).toContain('billing: 1 part would change, nothing was changed')
    expect(asked()).toEqual([['PUT', { policy: { failure: { immediate: 1 } }, by: 'ana', dryRun: true }]])
  })

  it('says when nothing differs', async () => {
    const { stdout } = await runCommand(['policy', 'set', 'billing', 'concurrency=4'], {
      url: await serve([]),
    })
    expect(stdout).toBe('billing: nothing differs, policy version 8\n')
  })

  it.each([
    [[], 'expected path=value, or --file, and not both'],
    [['concurrency'], 'expected path=value such as concurrency=8, received "concurrency"'],
    [['concurrency=1', 'concurrency=2'], 'concurrency is given twice'],
    [['failure.rules=[{]'], 'failure.rules: expected JSON or a word, received "[{]"'],
    [['concurrency=1', '--file', 'x'], 'not both'],
    [['--file', 'no-such-file.json'], '--file: ENOENT'],
    [['concurrency=1', '--expect-version', 'x'], '--expect-version: expected a whole number'],
  ])('refuses %j as wrong usage', async (args, message) => {
    const { exitCode, stderr } = await runCommand(['policy', 'set', 'billing', ...args], {
      url: await serve(),
    })
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)])
    expect((server as FakeServer).requests).toEqual([])
  })

  it.each(['[]', '{', '3'])('refuses a file that holds %s', async (stdin) => {
    const argv = ['policy', 'set', 'billing', '--file', '-']
    expect((await runCommand(argv, { url: await serve(), stdin })).exitCode).toBe(2)
  })
})

describe('eddy policy unset', () => {
  it('names parts, or all', async () => {
    const url = await serve()
    await runCommand(['policy', 'unset', 'billing', 'failure', 'concurrency', '--by', 'ana'], { url })
    await runCommand(['policy', 'unset', 'billing', '--all', '--by', 'ana', '--dry-run'], { url })
    expect(asked()).toEqual([
      ['PATCH', { unset: ['failure', 'concurrency'], by: 'ana' }],
      ['DELETE', { by: 'ana', dryRun: 'true' }],
    ])
  })

  it('takes neither, nor both, for a mistake', async () => {
    const url = await serve()
    expect((await runCommand(['policy', 'unset', 'billing'], { url })).exitCode).toBe(2)
    expect((await runCommand(['policy', 'unset', 'billing', 'failure', '--all'], { url })).exitCode).toBe(2)
  })
})
