import { describe, expect, it } from 'vitest'
import {
  FailureNotFoundError,
  InvalidOptionError,
  SubscriptionNotFoundError,
} from '../../src/errors/request-errors.ts'
import type { LedgerItem } from '../../src/model/ledger-item.ts'
import { failureGroups } from '../../src/operate/failure-groups.ts'
import { STATUS_ORDER } from '../../src/operate/list-failures.ts'
import { desk, failure, world } from './support/fixture.ts'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('listing failures', () => {
  it('merges subscriptions newest first, page by page, without gaps or repeats', async () => {
    const { engine, clock } = world()
    const { operations, controls } = desk(engine, { billing: {}, mails: {} })
    const newest: string[] = []
    for (let n = 0; n < 25; n += 1) {
      clock.pass(n % 3)
      const control = [...controls.values()][n % 2]
      if (control !== undefined) newest.unshift((await failure(control, engine, { n })).id)
    }
    const listed: LedgerItem[] = []
    let after: string | undefined
    do {
      const page = await operations.listFailures(
        { status: 'dead' },
        { limit: 4, ...(after !== undefined && { after }) },
      )
      expect(page.items.length).toBeLessThanOrEqual(4)
      listed.push(...page.items)
      after = page.next
    } while (after !== undefined)
    expect(listed.map((item) => item.id).sort()).toEqual([...newest].sort())
    const times = listed.map((item) => item.statusAtMs)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  it('without a status shows what needs a person first', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    for (const [n, status] of [...STATUS_ORDER].reverse().entries()) {
      await failure(control, engine, { n, status })
      clock.pass(10)
    }
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await operations.listFailures({}, { limit: 1, ...(after !== undefined && { after }) })
      seen.push(...page.items.map((item) => item.status))
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(STATUS_ORDER)
  })

  it('looks at a bounded number of items a call: a short page has a next one (I6)', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    await failure(control, engine, { n: 0, key: 'rare' })
    clock.pass(1)
    for (let n = 1; n < 5_100; n += 1) await failure(control, engine, { n, key: 'common' })
    const first = await operations.listFailures({ status: 'dead', key: 'rare' })
    expect(first.items).toEqual([])
    expect(first.next).toBeDefined()
    const second = await operations.listFailures(
      { status: 'dead', key: 'rare' },
      { after: first.next as string },
    )
    expect(second.items).toHaveLength(1)
    expect(second.next).toBeUndefined()
  })

  it('filters by key, error, fingerprint, time and ids', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    const a = await failure(control, engine, { n: 1, key: 'a' })
    clock.pass(1_000)
    const b = await failure(control, engine, {
      n: 2,
      key: 'b',
      fingerprint: 'fp-other',
      lastError: { type: 'Other', message: 'm', fingerprint: 'fp-other' },
    })
    const ids = async (filter: Parameters<typeof operations.listFailures>[0]): Promise<string[]> =>
      (await operations.listFailures(filter)).items.map((item) => item.id)
    expect(await ids({ key: 'a' })).toEqual([a.id])
    expect(await ids({ error: 'Other' })).toEqual([b.id])
    expect(await ids({ fingerprint: 'fp-payment' })).toEqual([a.id])
    expect(await ids({ status: 'dead', untilMs: a.statusAtMs })).toEqual([a.id])
    expect(await ids({ status: 'dead', sinceMs: a.statusAtMs + 1 })).toEqual([b.id])
    expect(await ids({ status: 'dead', sinceMs: a.statusAtMs, untilMs: b.statusAtMs })).toEqual([b.id, a.id])
    expect(await ids({ ids: [a.id, 'no-such-id', b.id, a.id] })).toEqual([b.id, a.id])
    expect(await ids({ ids: [a.id, b.id], key: 'b' })).toEqual([b.id])
  })

  it('names what is wrong with a filter, a cursor, a subscription, an id', async () => {
    const { operations } = desk(world().engine)
    await expect(operations.listFailures({ subscription: 'nobody' })).rejects.toThrow(
      SubscriptionNotFoundError,
    )
    await expect(operations.listFailures({}, { after: 'x' })).rejects.toThrow(/after/)
    await expect(
      operations.listFailures({ status: 'held' }, { after: 'dead~000000000000005/billing:1' }),
    ).rejects.toThrow(/after: expected the `next` of the page before, with the same filter/)
    await expect(operations.listFailures({}, { limit: 0 })).rejects.toThrow(InvalidOptionError)
    await expect(operations.listFailures({ status: 'gone' as 'dead' })).rejects.toThrow(/status/)
    await expect(operations.showFailure('billing:x')).rejects.toThrow(FailureNotFoundError)
  })

  it('shows the payload as text when it is UTF-8, else as base64; exports every item with it', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    const text = await failure(control, engine, { n: 1 })
    const bytes = new Uint8Array(300_000).fill(0xff)
    const binary = await failure(control, engine, { n: 2, payload: bytes })
    const shown = await operations.showFailure(text.id)
    expect(JSON.parse(shown.payload?.content ?? '')).toMatchObject({ id: 'event-1', data: { amount: 10 } })
    const { payload } = await operations.showFailure(binary.id)
    expect(payload).toMatchObject({ encoding: 'base64', bytes: 300_000 })
    expect(Buffer.from(payload?.content ?? '', 'base64').equals(bytes)).toBe(true)
    expect(await collect(operations.exportFailures({}))).toHaveLength(2)
    expect(await collect(operations.exportFailures({}, 1))).toHaveLength(1)
  })
})

describe('failure groups', () => {
  it('scenario 22: similar failures form one group; a new error moves the entry; two handlers make two entries', async () => {
    const { engine, clock } = world()
    const { operations, controls } = desk(engine, { billing: {}, mails: {} })
    const billing = controls.get('billing')
    const mails = controls.get('mails')
    if (billing === undefined || mails === undefined) throw new Error('no controls')
    const firstMs = clock.now()
    const first = await failure(billing, engine, { n: 1 })
    clock.pass(5_000)
    await failure(billing, engine, { n: 2 })
    await failure(mails, engine, { n: 1 })
    await failure(billing, engine, { n: 3, status: 'archived' })
    const groups = await operations.failureGroups({})
    expect(groups).toHaveLength(2)
    expect(groups[0]).toMatchObject({
      subscription: 'billing',
      fingerprint: 'fp-payment',
      errorType: 'PaymentRefused',
      count: 2,
      firstSeenMs: firstMs,
      lastSeenMs: firstMs + 5_000,
      sample: { key: 'key-2' },
    })
    expect(groups[1]).toMatchObject({ subscription: 'mails', count: 1 })

    const entry = await billing.ledger.getById(first.id)
    if (entry === undefined) throw new Error('the failure is gone')
    await billing.ledger.replace(entry, {
      ...entry.item,
      fingerprint: 'fp-new',
      lastError: { type: 'Timeout', message: 'slow', fingerprint: 'fp-new' },
    })
    const moved = await operations.failureGroups({ subscription: 'billing' })
    expect(moved.map((group) => [group.fingerprint, group.count])).toEqual([
      ['fp-payment', 1],
      ['fp-new', 1],
    ])
    expect(await operations.failureGroups({ status: 'archived' })).toMatchObject([{ count: 1 }])
  })

  it('says when there are more groups than it counts (I6)', async () => {
    const { engine } = world()
    const { controls, control } = desk(engine)
    for (let n = 0; n < 5; n += 1) await failure(control, engine, { n, fingerprint: `fp-${n}` })
    const groups = await failureGroups({ subscriptions: controls }, {}, 3)
    expect(groups).toHaveLength(3)
    expect(groups.map((group) => group.truncated)).toEqual([undefined, undefined, true])
  })
})

describe('dropping and archiving', () => {
  it('drops dead and parked items, leaves archived and waiting ones, and lets a held key flow on', async () => {
    const { engine, clock, tokens } = world()
    const { operations, control } = desk(engine)
    const dead = await failure(control, engine, { n: 1 })
    const parked = await failure(control, engine, { n: 2, status: 'held', parked: true })
    const waiting = await failure(control, engine, { n: 3, status: 'held' })
    const archived = await failure(control, engine, { n: 4, status: 'archived' })
    expect(await operations.dropFailures({}, { dryRun: true })).toEqual({
      matched: 2,
      changed: 0,
      dryRun: true,
    })
    expect((await operations.showFailure(dead.id)).item.status).toBe('dead')
    expect(await operations.dropFailures({}, { by: 'ann', note: 'test data' })).toEqual({
      matched: 2,
      changed: 2,
      dryRun: false,
    })
    expect((await operations.showFailure(dead.id)).item).toMatchObject({
      status: 'dropped',
      reason: 'dropped by ann',
      note: 'test data',
    })
    expect((await operations.showFailure(waiting.id)).item.status).toBe('held')
    expect(tokens).toEqual([parked.id])
    clock.pass(1)
    expect(await operations.dropFailures({})).toMatchObject({ matched: 0 })
    clock.pass(1)
    expect(await operations.dropFailures({ ids: [archived.id] })).toMatchObject({ changed: 1 })
    expect(await operations.listAudit()).toMatchObject([
      { action: 'drop', by: 'operator', count: 1 },
      { action: 'drop', by: 'operator', count: 0 },
      { action: 'drop', by: 'ann', count: 2, note: 'test data' },
    ])
  })

  it('archives dead items only, at most as many as asked, oldest first', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    const items: LedgerItem[] = []
    for (let n = 0; n < 3; n += 1) {
      items.push(await failure(control, engine, { n }))
      clock.pass(1)
    }
    expect(await operations.archiveFailures({}, { limit: 2 })).toMatchObject({ matched: 2, changed: 2 })
    const left = await operations.listFailures({ status: 'dead' })
    expect(left.items.map((item) => item.id)).toEqual([items[2]?.id])
    await expect(operations.archiveFailures({ status: 'retrying' })).rejects.toThrow(InvalidOptionError)
  })
})
