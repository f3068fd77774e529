import { StorageError } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { expectSchema } from './support/checked-answers.ts'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'
import { failureDetail, ledgerItem } from './support/fixtures.ts'

const ODD_ID = 'billing:é/ü?#%:1'

describe('looking', () => {
  test('filters and pages reach the ledger', async () => {
    const { ask, operations } = client()
    const query = new URLSearchParams({
      subscription: 'billing',
      status: 'dead',
      key: 'ключ/7 &=',
      error: 'TypeError',
      fingerprint: 'f1',
      since: '2026-01-01T00:00:00Z',
      until: '1767225600001',
      limit: '5',
      after: 'page-2',
    })
    const { body } = await ask('GET', `/v1/failures?${query}`)
    expect(body.items).toHaveLength(2)
    expect(operations.asked[0]?.args).toEqual([
      {
        subscription: 'billing',
        status: 'dead',
        key: 'ключ/7 &=',
        error: 'TypeError',
        fingerprint: 'f1',
        sinceMs: 1_767_225_600_000,
        untilMs: 1_767_225_600_001,
      },
      { limit: 5, after: 'page-2' },
    ])
  })

  test.each(['status=gone', 'since=noon', 'limit=0', 'limit=1001', 'sub=billing', 'key='])(
    '%s is refused',
    async (query) => {
      expect((await client().ask('GET', `/v1/failures?${query}`)).body.code).toBe('EDDY_INVALID_OPTION')
    },
  )

  test('ids are percent-encoded in paths', async () => {
    const { ask } = client()
    expect((await ask('GET', `/v1/failures/${encodeURIComponent(ODD_ID)}`)).body.item.id).toBe(ODD_ID)
    expect((await ask('GET', '/v1/failures/none')).body.code).toBe('EDDY_FAILURE_NOT_FOUND')
  })

  test('groups', async () => {
    expect((await client().ask('GET', '/v1/failures/groups?subscription=billing')).body[0].count).toBe(2)
  })
})

describe('export', () => {
  test('a line for each item', async () => {
    const response = await client().send('GET', '/v1/failures/export?status=dead')
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expectSchema('FailureDetail', JSON.parse(line))
  })

  test('a refused export is a problem, not a broken stream', async () => {
    const operations = fakeOperations({
      // biome-ignore lint/correctness/useYield: fails before the first item
      exportFailures: async function* () {
        throw new StorageError('disk')
      },
    })
    expect((await client({ operations }).ask('GET', '/v1/failures/export')).status).toBe(503)
  })

  test('an export that fails on the way does not end like a whole one (I9)', async () => {
    const operations = fakeOperations({
      exportFailures: async function* () {
        yield failureDetail(ledgerItem())
        throw new Error('secret inside')
      },
    })
    const { createApp } = await import('../src/index.ts')
    const response = await createApp({ operations, version: 't' }).request('/v1/failures/export')
    await expect(response.text()).rejects.toThrowError('the export failed on the way')
  })

  test('HEAD opens nothing', async () => {
    const response = await client().send('HEAD', '/v1/failures/export')
    expect([response.status, response.body]).toEqual([200, null])
  })
})

describe('edit', () => {
  const path = `/v1/failures/${encodeURIComponent(ODD_ID)}/payload`
  const envelope = { specversion: '1.0', id: 'e', source: 's', type: 't', data: 1 }

  test('the bytes and the conditions reach the ledger', async () => {
    const { ask, operations } = client()
    const headers = {
      'eddy-by': 'ada',
      'eddy-note': 'typo',
      'eddy-expect-updated-at': '1767225600000',
      'eddy-allow-out-of-order': 'true',
    }
    const { status, body } = await ask('PUT', path, envelope, headers)
    expect([status, body.item.editOf]).toEqual([200, ODD_ID])
    const [id, payload, options] = (operations.asked[0]?.args ?? []) as [string, Uint8Array, unknown]
    expect(id).toBe(ODD_ID)
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(envelope)
    expect(options).toEqual({
      by: 'ada',
      note: 'typo',
      expectUpdatedAtMs: 1_767_225_600_000,
      allowOutOfOrder: true,
    })
  })

  test.each([
    ['not json', {}, 'EDDY_INVALID_REQUEST'],
    ['[]', {}, 'EDDY_INVALID_REQUEST'],
    [new Uint8Array([0x7b, 0xff]), {}, 'EDDY_INVALID_REQUEST'],
    ['{}', { 'eddy-expect-updated-at': 'now' }, 'EDDY_INVALID_OPTION'],
    ['{}', { 'content-type': 'text/plain' }, 'EDDY_UNSUPPORTED_CONTENT_TYPE'],
  ])('%s %j is refused', async (body, headers, code) => {
    expect((await client().ask('PUT', path, body, headers as Record<string, string>)).body.code).toBe(code)
  })
})

describe('drop and archive', () => {
  test.each(['drop', 'archive'])('%s', async (action) => {
    const { ask, operations } = client()
    const body = { filter: { status: 'dead', sinceMs: 5 }, by: 'ada', note: 'n', dryRun: true, limit: 7 }
    const answer = await ask('POST', `/v1/failures/${action}`, body)
    expect(answer.body).toEqual({ matched: 2, changed: 0, dryRun: true })
    expect(operations.asked[0]).toEqual({
      method: `${action}Failures`,
      args: [body.filter, { by: 'ada', note: 'n', dryRun: true, limit: 7 }],
    })
  })

  test.each([
    [{}],
    [{ filter: [] }],
    [{ filter: { since: 5 } }],
    [{ filter: { status: 'gone' } }],
    [{ filter: { ids: 'x' } }],
    [{ filter: { ids: [7] } }],
    [{ filter: {}, dryRun: 'yes' }],
    [{ filter: {}, limit: 0 }],
  ])('%j is refused: nobody acts on everything by a typing error', async (body) => {
    const { ask, operations } = client()
    expect((await ask('POST', '/v1/failures/drop', body)).body.code).toBe('EDDY_INVALID_OPTION')
    expect(operations.asked).toEqual([])
  })
})
