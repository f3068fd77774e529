import { describe, expect, test } from 'vitest'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'

const PATH = '/v1/subscriptions/billing/policy'

describe('the policy of a subscription', () => {
  test('show', async () => {
    const { status, body } = await client().ask('GET', PATH)
    expect([status, body.version]).toEqual([200, 3])
    expect(body.parts[0]).toMatchObject({
      path: 'concurrency',
      value: 4,
      from: 'override',
      file: 16,
      by: 'ada',
    })
    expect((await client().ask('GET', '/v1/subscriptions/none/policy')).status).toBe(404)
  })

  test('PATCH sets and unsets by path, and says who and why', async () => {
    const { ask, operations } = client()
    const set = { 'failure.retry.maxAttempts': 5, 'protect.breaker': null }
    const answer = await ask('PATCH', PATH, {
      set,
      unset: ['failure.rules'],
      by: 'ada',
      note: 'bank is slow',
    })
    expect([answer.status, answer.body]).toMatchObject([200, { version: 4, dryRun: false }])
    expect(operations.asked.at(-1)?.args).toEqual([
      'billing',
      { set, unset: ['failure.rules'] },
      { by: 'ada', note: 'bank is slow' },
    ])
  })

  test('PUT replaces everything', async () => {
    const { ask, operations } = client()
    const policy = { failure: { maxAgeMs: 60_000 } }
    await ask('PUT', PATH, { policy, expectVersion: 3 })
    expect(operations.asked.at(-1)?.args).toEqual(['billing', { replace: policy }, { expectVersion: 3 }])
  })

  test('DELETE goes back to the application file', async () => {
    const { ask, operations } = client()
    const answer = await ask('DELETE', `${PATH}?by=ada&dryRun=true&expectVersion=3`)
    expect(answer.body).toMatchObject({ version: 3, dryRun: true })
    expect(operations.asked.at(-1)?.args).toEqual([
      'billing',
      { unset: ['all'] },
      { by: 'ada', dryRun: true, expectVersion: 3 },
    ])
  })

  test('a version that is not the one shown any more is a conflict', async () => {
    const answer = await client().ask('PATCH', PATH, { set: { concurrency: 1 }, expectVersion: 2 })
    expect([answer.status, answer.body.code]).toEqual([409, 'EDDY_POLICY_CONFLICT'])
    expect(answer.body.detail).toContain('expected version 2, it is 3 by now')
  })

  test.each([
    ['PATCH', {}, 'set'],
    ['PATCH', { set: [] }, 'set'],
    ['PATCH', { unset: 'all' }, 'unset'],
    ['PATCH', { unset: [1] }, 'unset'],
    ['PATCH', { set: {}, expectVersion: -1 }, 'expectVersion'],
    ['PATCH', { set: {}, dryRun: 1 }, 'dryRun'],
    ['PATCH', { set: {}, policy: {} }, 'policy'],
    ['PUT', {}, 'policy'],
    ['PUT', { policy: 'x' }, 'policy'],
  ])('%s %j is refused, naming the member', async (method, body, named) => {
    const answer = await client().ask(method, PATH, body)
    expect([answer.status, answer.body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
    expect(answer.body.detail).toContain(named)
  })

  test.each([
    ['PATCH', PATH, { set: { concurrency: 1 } }],
    ['PUT', PATH, { policy: {} }],
    ['DELETE', PATH, undefined],
  ])('a read-only server refuses %s, and answers its dry run', async (method, path, body) => {
    const { ask } = client({ operations: fakeOperations({ readOnly: true }) })
    expect((await ask(method, path, body)).body.code).toBe('EDDY_READ_ONLY')
    const dry =
      body === undefined
        ? await ask(method, `${path}?dryRun=true`)
        : await ask(method, path, { ...body, dryRun: true })
    expect([dry.status, dry.body.dryRun]).toEqual([200, true])
  })
})
