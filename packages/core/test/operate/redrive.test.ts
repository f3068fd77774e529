import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { InvalidOptionError, OutOfOrderError, RedriveNotFoundError } from '../../src/errors/request-errors.ts'
import { keys } from '../../src/fail/keys.ts'
import { refOf } from '../../src/fail/ledger.ts'
import type { LedgerItem } from '../../src/model/ledger-item.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import type { Operations, RedriveJob } from '../../src/operate/operations.ts'
import { redriveOne } from '../../src/operate/redrive-one.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { crashAt, endOrCrash } from './support/crash.ts'
import type { FakeControl } from './support/fake-control.ts'
import { desk, failure, payloadOf, world } from './support/fixture.ts'

const FAST = { ratePerSecond: 100_000 }

async function failures(control: FakeControl, engine: Engine, count: number): Promise<LedgerItem[]> {
  const items: LedgerItem[] = []
  for (let n = 0; n < count; n += 1) items.push(await failure(control, engine, { n }))
  return items
}

/** Waits, in virtual time, for the job to be over. */
async function over(operations: Operations, engine: Engine, id: string): Promise<RedriveJob> {
  for (let looks = 0; looks < 100_000; looks += 1) {
    const job = await operations.showRedrive(id)
    if (job.finishedAtMs !== undefined) return job
    await engine.clock.sleep(5)
  }
  throw new Error('the job did not end')
}

describe('planning a redrive', () => {
  it('counts the set by subscription, and what would run out of order', async () => {
    const { engine } = world()
    const { operations, controls } = desk(engine, { billing: { blocks: 'key' }, mails: {} })
    const [billing, mails] = [...controls.values()] as [FakeControl, FakeControl]
    const [late] = await failures(billing, engine, 3)
    await failures(mails, engine, 2)
    billing.outOfOrder.add(late?.id ?? '')
    expect(await operations.planRedrive({})).toEqual({
      count: 5,
      outOfOrder: 1,
      subscriptions: [
        { subscription: 'billing', count: 3 },
        { subscription: 'mails', count: 2 },
      ],
    })
    await expect(operations.startRedrive({})).rejects.toThrow(OutOfOrderError)
    expect(await operations.listRedrives()).toEqual([])
    const { id } = await operations.startRedrive({}, { ...FAST, allowOutOfOrder: true })
    expect(await over(operations, engine, id)).toMatchObject({ state: 'done', enqueued: 5, skipped: 0 })
  })

  it('refuses statuses that cannot be redriven, and a wrong rate or limit', async () => {
    const { operations } = desk(world().engine)
    await expect(operations.planRedrive({ status: 'resolved' })).rejects.toThrow(InvalidOptionError)
    await expect(operations.startRedrive({}, { ratePerSecond: 0 })).rejects.toThrow(/ratePerSecond/)
    await expect(operations.startRedrive({}, { limit: 0 })).rejects.toThrow(/limit/)
    await expect(operations.showRedrive('none')).rejects.toThrow(RedriveNotFoundError)
  })
})

describe('a redrive job', () => {
  it('scenario 23: leaves archived items alone, and takes them when asked by status or by id', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    await failure(control, engine, { n: 1 })
    const archived = await failure(control, engine, { n: 2, status: 'archived' })
    const parked = await failure(control, engine, { n: 3, status: 'held', parked: true })
    const group = await operations.startRedrive({ fingerprint: 'fp-payment' }, FAST)
    expect(await over(operations, engine, group.id)).toMatchObject({ state: 'done', total: 1, enqueued: 1 })
    expect((await control.ledger.getById(archived.id))?.item.status).toBe('archived')
    const byId = await operations.startRedrive({ ids: [archived.id] }, FAST)
    expect(await over(operations, engine, byId.id)).toMatchObject({ total: 1, enqueued: 1 })
    const byStatus = await operations.startRedrive({ status: 'held' }, FAST)
    expect(await over(operations, engine, byStatus.id)).toMatchObject({ total: 1, enqueued: 1 })
    expect((await control.ledger.getById(parked.id))?.item).toMatchObject({ status: 'retrying' })
  })

  it('scenario 23: an id that cannot be queued is counted with its reason and stops no later one', async () => {
    const { engine, clock } = world()
    const first = desk(engine, { billing: {}, gone: {} })
    const items: LedgerItem[] = []
    for (let n = 0; n < 4; n += 1) {
      // Larger than what lies in the item itself.
      const payload = payloadOf({ key: `key-${n}`, eventId: `event-${n}` }, 'x'.repeat(2_000))
      items.push(await failure(first.control, engine, { n, payload }))
      clock.pass(1)
    }
    const [, lost, redriven] = items as [LedgerItem, LedgerItem, LedgerItem, LedgerItem]
    await failure(first.controls.get('gone') as FakeControl, engine, { n: 9 })
    const { id } = await first.operations.startRedrive({}, { ratePerSecond: 1 })
    await first.operations.stop()
    clock.pass(1)
    // Before their turn one loses its payload, one is redriven by somebody else, and a subscription goes.
    const ref = refOf(lost)
    await engine.table.delete(keys.payload('billing', ref.laneId, ref.position), 'any')
    const other = await first.control.ledger.getById(redriven.id)
    if (other === undefined) throw new Error('no item')
    await first.control.requeue(other, { by: 'bob', jobId: 'another', allowOutOfOrder: false })
    const next = desk(engine)
    await next.operations.resumeRedrives()
    const job = await over(next.operations, engine, id)
    expect(job).toMatchObject({ state: 'done', total: 5, enqueued: 2, skipped: 3 })
    expect(job.skippedByReason).toEqual({ 'no-subscription': 1, 'payload-missing': 1, changed: 1 })
  })

  it('scenario 25: redrives one source up to a limit, oldest first; attempts start anew and the key stays', async () => {
    const { engine, clock } = world()
    const { operations, controls } = desk(engine, { billing: {}, mails: {} })
    const [billing, mails] = [...controls.values()] as [FakeControl, FakeControl]
    const old = await failure(billing, engine, { n: 1, attempts: 7 })
    clock.pass(1_000)
    const young = await failure(billing, engine, { n: 2 })
    const other = await failure(mails, engine, { n: 1 })
    const { id } = await operations.startRedrive(
      { subscription: 'billing' },
      { ...FAST, limit: 1, by: 'ann' },
    )
    expect(await over(operations, engine, id)).toMatchObject({ total: 1, enqueued: 1 })
    expect((await billing.ledger.getById(old.id))?.item).toMatchObject({
      status: 'retrying',
      key: old.key,
      budgetFrom: { attempts: 7 },
      redrives: [{ jobId: id, by: 'ann' }],
    })
    expect((await billing.ledger.getById(young.id))?.item.status).toBe('dead')
    expect((await mails.ledger.getById(other.id))?.item.status).toBe('dead')
  })

  it('takes in nothing that died after it was started, nor what changed since (I8)', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    const items = await failures(control, engine, 3)
    const { id, total } = await operations.startRedrive({}, { ratePerSecond: 1 })
    clock.pass(1)
    const late = await failure(control, engine, { n: 100 })
    const last = await control.ledger.getById(items[2]?.id ?? '')
    if (last === undefined) throw new Error('no item')
    // It was retried by other means and died again: not the failure that was shown.
    await control.ledger.replace(last, { ...last.item, attempts: 9, statusAtMs: clock.now() })
    const job = await over(operations, engine, id)
    expect(total).toBe(3)
    expect(job).toMatchObject({ state: 'done', enqueued: 2, skipped: 1, skippedByReason: { changed: 1 } })
    expect((await control.ledger.getById(late.id))?.item.status).toBe('dead')
  })

  it('that died while its set was written down writes the same set again (I8)', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    const items = await failures(control, engine, 3)
    let jobs: readonly RedriveJob[] = []
    for (let k = 1; jobs.length === 0; k += 1) {
      const process = crashAt(engine, k, 'after')
      await endOrCrash(desk(process.engine).operations.startRedrive({}, FAST), process)
      jobs = await operations.listRedrives()
    }
    expect(jobs).toMatchObject([{ state: 'preparing', total: 0 }])
    clock.pass(1)
    const late = await failure(control, engine, { n: 100 })
    expect(await operations.resumeRedrives()).toBe(1)
    const job = await over(operations, engine, jobs[0]?.id ?? '')
    expect(job).toMatchObject({ state: 'done', total: items.length, enqueued: items.length, skipped: 0 })
    expect((await control.ledger.getById(late.id))?.item.status).toBe('dead')
  })

  it('keeps to its rate', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    await failures(control, engine, 50)
    const startMs = clock.monotonicMs()
    const { id } = await operations.startRedrive({}, { ratePerSecond: 10 })
    await over(operations, engine, id)
    const elapsedMs = clock.monotonicMs() - startMs
    // 50 at 10 a second: the last one 4.9 s after the first.
    expect(elapsedMs).toBeGreaterThanOrEqual(4_900)
    expect(elapsedMs).toBeLessThan(5_200)
  })

  it('does not queue an id again that another job redrove since (I8)', async () => {
    const { engine } = world()
    const { operations, control, controls } = desk(engine)
    const item = await failure(control, engine, { n: 1 })
    const job = await operations.startRedrive({}, FAST)
    await over(operations, engine, job.id)
    const redrive = async (jobId: string): Promise<void> => {
      const entry = await control.ledger.getById(item.id)
      if (entry === undefined) throw new Error('no item')
      const died = await control.ledger.replace(entry, { ...entry.item, status: 'dead' })
      if (died.ok) await control.requeue(died.entry, { by: 'bob', jobId, allowOutOfOrder: false })
    }
    await redrive('another')
    const entry = await control.ledger.getById(item.id)
    if (entry === undefined) throw new Error('no item')
    await control.ledger.replace(entry, { ...entry.item, status: 'dead' })
    // A job that resumes asks again for what it did before its last saved cursor.
    const deps = { engine, subscriptions: controls, logger: silentLogger }
    expect(await redriveOne(deps, { job, cursor: 0, allowOutOfOrder: false }, item.id)).toBe('queued')
    expect((await control.ledger.getById(item.id))?.item).toMatchObject({ status: 'dead' })
  })

  it('is cancelled between two ids: what was enqueued stays, the rest stays dead', async () => {
    const { engine, tokens } = world()
    const { operations, control } = desk(engine)
    await failures(control, engine, 200)
    const { id } = await operations.startRedrive({}, { ratePerSecond: 100 })
    await engine.clock.sleep(500)
    const job = await operations.cancelRedrive(id, { by: 'ann' })
    expect(job).toMatchObject({ state: 'cancelled', total: 200 })
    expect(job.enqueued).toBeGreaterThan(0)
    expect(job.enqueued).toBeLessThan(200)
    expect(tokens).toHaveLength(job.enqueued)
    await engine.clock.sleep(5_000)
    expect(tokens).toHaveLength(job.enqueued)
    expect(await operations.cancelRedrive(id)).toEqual(job)
    expect(await operations.listAudit(1)).toMatchObject([{ action: 'redrive-cancel', by: 'ann' }])
  })

  it('runs at most four jobs at a time; the fifth waits and runs too (I6)', async () => {
    const { engine, tokens } = world()
    const { operations, control } = desk(engine)
    const items = await failures(control, engine, 5)
    for (const item of items.slice(0, 4)) {
      // Each of the first four waits a second before its second id.
      const filler = await failure(control, engine, { n: 100 + items.indexOf(item) })
      await operations.startRedrive({ ids: [item.id, filler.id] }, { ratePerSecond: 1 })
    }
    const fifth = await operations.startRedrive({ ids: [items[4]?.id ?? ''] }, FAST)
    await engine.clock.sleep(500)
    expect(tokens).not.toContain(items[4]?.id)
    expect(await operations.showRedrive(fifth.id)).toMatchObject({ state: 'running', enqueued: 0 })
    await over(operations, engine, fifth.id)
    for (const { id } of await operations.listRedrives()) {
      expect(await over(operations, engine, id)).toMatchObject({ state: 'done', skipped: 0 })
    }
  })

  it('stops with the process and goes on at the next start, each id once (I8)', async () => {
    const { engine, tokens } = world()
    const first = desk(engine)
    await failures(first.control, engine, 1_200)
    const { id } = await first.operations.startRedrive({}, { ratePerSecond: 1_000 })
    await engine.clock.sleep(600)
    await first.operations.stop()
    const halfway = await first.operations.showRedrive(id)
    expect(halfway).toMatchObject({ state: 'running' })
    expect(halfway.enqueued).toBeGreaterThan(100)
    const next = desk(engine)
    expect(await next.operations.resumeRedrives()).toBe(1)
    expect(await over(next.operations, engine, id)).toMatchObject({
      state: 'done',
      enqueued: 1_200,
      skipped: 0,
    })
    expect(new Set(tokens).size).toBe(1_200)
    expect(tokens).toHaveLength(1_200)
  })

  it('whose subscription left the application ends as failed, and keeps no other from going on (I9)', async () => {
    const { engine } = world()
    const before = desk(engine, { gone: {}, billing: {} })
    await failures(before.controls.get('gone') as FakeControl, engine, 2)
    await failures(before.controls.get('billing') as FakeControl, engine, 2)
    let created = 0
    for (let k = 1; created === 0; k += 1) {
      const process = crashAt(engine, k, 'after')
      await endOrCrash(
        desk(process.engine, { gone: {}, billing: {} }).operations.startRedrive(
          { subscription: 'gone' },
          FAST,
        ),
        process,
      )
      created = (await before.operations.listRedrives()).length
    }
    const next = desk(engine)
    expect(await next.operations.resumeRedrives()).toBe(0)
    expect(await next.operations.listRedrives()).toMatchObject([
      { state: 'failed', reason: expect.stringContaining('gone') },
    ])
    const { id } = await next.operations.startRedrive({}, FAST)
    expect(await over(next.operations, engine, id)).toMatchObject({ state: 'done', enqueued: 2 })
  })

  it('goes on after storage errors, and fails visibly when they do not end (I9)', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    await failures(control, engine, 3)
    const requeue = control.requeue.bind(control)
    let broken = 4
    control.requeue = async (entry, request) => {
      broken -= 1
      if (broken >= 0) throw new StorageError('disk full')
      return await requeue(entry, request)
    }
    const { id } = await operations.startRedrive({}, FAST)
    expect(await over(operations, engine, id)).toMatchObject({ state: 'done', enqueued: 3, skipped: 0 })
    await failure(control, engine, { n: 7 })
    broken = Number.POSITIVE_INFINITY
    const second = await operations.startRedrive({}, FAST)
    const failed = await over(operations, engine, second.id)
    expect(failed).toMatchObject({ state: 'failed', enqueued: 0 })
    expect(failed.reason).toContain('disk full')
  })

  it('leaves nothing of its set behind once it is over, and expires 14 days later', async () => {
    const { engine, clock } = world()
    const { operations, control } = desk(engine)
    await failures(control, engine, 501)
    const { id } = await operations.startRedrive({}, FAST)
    await over(operations, engine, id)
    await clock.sleep(10)
    expect((await engine.table.query({ partition: `redrive/${id}`, limit: 10 })).items).toEqual([])
    clock.pass(15 * 24 * 3_600_000)
    expect(await operations.listRedrives()).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'enqueues each id exactly once, whichever port call a crash stops %s (I8)',
    async (when) => {
      let crashes = 0
      for (let k = 1; ; k += 1) {
        const { engine } = world()
        const { control } = desk(engine)
        const items = await failures(control, engine, 12)
        const process = crashAt(engine, k, when)
        const dying = desk(process.engine).operations
        const work = dying.startRedrive({}, { ratePerSecond: 40 }).then((job) => over(dying, engine, job.id))
        if ((await endOrCrash(work, process)) === 'ended') break
        crashes += 1

        const next = desk(engine).operations
        await next.resumeRedrives()
        const [job] = await next.listRedrives()
        const isBegun = job !== undefined
        if (isBegun) {
          expect(await over(next, engine, job.id)).toMatchObject({
            state: 'done',
            total: 12,
            enqueued: 12,
            skipped: 0,
          })
        }
        for (const { id } of items) {
          const item = (await control.ledger.getById(id))?.item
          expect(item?.redrives).toHaveLength(isBegun ? 1 : 0)
          expect(item?.status).toBe(isBegun ? 'retrying' : 'dead')
        }
      }
      expect(crashes).toBeGreaterThan(50)
    },
  )
})
