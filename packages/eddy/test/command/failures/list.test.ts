import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer } from '../support/fake-server.ts'
import { runCommand } from '../support/run-command.ts'
import { failureDetail, ledgerItem } from './ledger-items.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

describe('eddy failures list', () => {
  it('hands the filters on, times as epoch milliseconds, and prints a table', async () => {
    server = await fakeServer(() => ({ json: { items: [ledgerItem()] } }))
    const filters = ['--subscription', 'billing', '--status', 'dead', '--key', 'customer-7', '--error', 'X']
    const times = ['--fingerprint', 'f', '--since', '2h', '--until', '2026-01-31T12:00:00Z', '--limit', '5']
    const beforeMs = Date.now()
    const argv = ['failures', 'list', ...filters, ...times]
    const { exitCode, stdout } = await runCommand(argv, { url: server.url })
    expect(exitCode).toBe(0)
    const { since, ...query } = Object.fromEntries(server.requests[0]?.query ?? [])
    expect(query).toEqual({
      subscription: 'billing',
      status: 'dead',
      key: 'customer-7',
      error: 'X',
      fingerprint: 'f',
      until: String(Date.parse('2026-01-31T12:00:00Z')),
      limit: '5',
    })
    expect(Math.abs(Number(since) - (beforeMs - 7_200_000))).toBeLessThan(5_000)
    const [heading, row] = stdout.split('\n')
    expect(heading).toMatch(/^STATUS +SUBSCRIPTION +ERROR +KEY +ATTEMPTS +SINCE +ID$/)
    expect(row).toMatch(/^dead +billing +PaymentDeclined: card 42 was declined +customer-7 /)
    expect(row).toMatch(/ billing:ab12:0000\.0000\.0161000000000000042$/)
  })

  it('reads page after page up to the limit, and says that there is more', async () => {
    server = await fakeServer(({ query }) => {
      const start = Number(query.get('after') ?? 0)
      const items = Array.from({ length: Number(query.get('limit')) }, (_, n) =>
        ledgerItem({ id: `i-${start + n}` }),
      )
      return { json: { items, next: String(start + items.length) } }
    })
    const argv = ['failures', 'list', '--limit', '450', '--json']
    const { stdout } = await runCommand(argv, { url: server.url })
    const { items, next } = JSON.parse(stdout) as { items: { id: string }[]; next: string }
    expect(items.map(({ id }) => id)).toEqual(Array.from({ length: 450 }, (_, n) => `i-${n}`))
    expect(next).toBe('450')
    expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['200', '200', '50'])
  })

  it('exports every item as a JSON line while it arrives', async () => {
    const details = [failureDetail({ id: 'a' }), failureDetail({ id: 'b' })]
    server = await fakeServer(() => ({
      text: details.map((detail) => `${JSON.stringify(detail)}\n`).join(''),
    }))
    const { exitCode, stdout } = await runCommand(['failures', 'export', '--status', 'dead'], {
      url: server.url,
    })
    expect(exitCode).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(details)
  })

  it('fails an export that ends in the middle of a line', async () => {
    server = await fakeServer(() => ({ text: '{"item":{}}\n{"item":' }))
    const { exitCode, stdout } = await runCommand(['failures', 'export'], { url: server.url })
    expect(exitCode).toBe(1)
    expect(stdout).toBe('{"item":{}}\n')
  })

  it('lists groups with a sample', async () => {
    const group = {
      subscription: 'billing',
      fingerprint: '4be1',
      errorType: 'PaymentDeclined',
      count: 1_234,
      firstSeenMs: 1,
      lastSeenMs: 2,
      sample: { id: 'i-1', key: 'k', message: 'declined' },
    }
    server = await fakeServer(() => ({ json: [group] }))
    const { stdout } = await runCommand(['failures', 'groups'], { url: server.url })
    expect(stdout).toMatch(/1,234 +billing +PaymentDeclined .* 4be1 +i-1 declined/)
  })
})

describe('eddy failures show', () => {
  it('says why it failed: header, lineage, attempts, error with stack, payload, what to do next', async () => {
    const redrives = [{ jobId: 'r-1', by: 'ada', atMs: 1_790_000_002_000 }]
    server = await fakeServer(() => ({ json: failureDetail({ redrives, editOf: 'old:1' }) }))
    const { exitCode, stdout } = await runCommand(['failures', 'show', 'a/b:c'], { url: server.url })
    expect(exitCode).toBe(0)
    expect(server.requests[0]?.path).toBe('/v1/failures/a/b:c')
    expect(stdout).toMatch(/^dead {2}3 attempts\n/)
    for (const text of [
      'reason           attempts used up',
      'Lineage\n  replaces old:1\n  redriven by ada',
      'Attempts\n  #  PATH   STARTED',
      'PaymentDeclined (E_CARD): card 42 was declined\n      at charge (bill.ts:12:7)',
      '      (1 frame inside Eddy not shown)\n',
      '    "amount": 0\n',
      "eddy failures redrive 'billing:ab12:",
    ]) {
      expect(stdout).toContain(text)
    }
  })

  it('never changes a payload that JavaScript could not write back', async () => {
    const content = '{"id":12345678901234567890}'
    server = await fakeServer(() => ({ json: failureDetail({}, content) }))
    const { stdout } = await runCommand(['failures', 'show', 'x'], { url: server.url })
    expect(stdout).toContain(content)
  })
})
