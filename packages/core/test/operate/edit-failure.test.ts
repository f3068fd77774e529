import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, it } from 'vitest'
import { SchemaMismatchError, UndecodableEventError } from '../../src/errors/handler-errors.ts'
import { EditConflictError, FailureStateError, OutOfOrderError } from '../../src/errors/request-errors.ts'
import { InvalidEventError } from '../../src/errors/stream-errors.ts'
import { decodeEvent } from '../../src/model/envelope.ts'
import type { LedgerItem } from '../../src/model/ledger-item.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { crashAt, endOrCrash } from './support/crash.ts'
import type { FakeControl } from './support/fake-control.ts'
import { desk, editId, failure, payloadOf, storedPayload, world } from './support/fixture.ts'

describe('editing a failure', () => {
  it('scenario 24: the new item has a new id linked to the original, and the original is resolved', async () => {
    const { engine, tokens } = world()
    const { operations, control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const result = await operations.editFailure(original.id, payloadOf(original, { amount: 7 }), {
      by: 'ann',
    })
    expect(result.item).toMatchObject({
      id: editId(original),
      status: 'retrying',
      eventId: 'event-1~edit1',
      editOf: original.id,
      attempts: 0,
      dueAtMs: engine.clock.now(),
      note: 'edited by ann',
    })
    expect(result.item.parked).toBeUndefined()
    expect(result.original).toMatchObject({ status: 'resolved', reason: 'edited', editedBy: result.item.id })
    const payload = await storedPayload(control, result.item.id)
    expect(decodeEvent(payload)).toMatchObject({ id: 'event-1~edit1', data: { amount: 7 } })
    expect(tokens).toEqual([result.item.id])
    // The original's payload stays with it: it is not what was handled.
    expect((await operations.showFailure(original.id)).payload?.content).toContain('"amount":10')
    expect(await operations.listAudit()).toMatchObject([
      { action: 'edit', by: 'ann', target: original.id, count: 1 },
    ])
  })

  it('scenario 24: a failed edit is an entry of its own, and can be edited again', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const first = await operations.editFailure(original.id, payloadOf(original, { amount: 7 }))
    const entry = await control.ledger.getById(first.item.id)
    if (entry === undefined) throw new Error('no new item')
    await control.ledger.replace(entry, { ...entry.item, status: 'dead', attempts: 3 })
    expect((await operations.listFailures({ status: 'dead' })).items.map((item) => item.id)).toEqual([
      first.item.id,
    ])
    const second = await operations.editFailure(first.item.id, payloadOf(first.item, { amount: 8 }))
    expect(second.item).toMatchObject({ editOf: first.item.id, eventId: 'event-1~edit1~edit1' })
    expect(second.item.position > first.item.position).toBe(true)
  })

  it('scenario 24: a second concurrent edit is refused and names the first editor', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const edits = await Promise.allSettled([
      operations.editFailure(original.id, payloadOf(original, { amount: 1 }), { by: 'ann' }),
      operations.editFailure(original.id, payloadOf(original, { amount: 2 }), { by: 'bob' }),
    ])
    expect(edits[0]?.status).toBe('fulfilled')
    const refused = edits[1]?.status === 'rejected' ? (edits[1].reason as Error) : undefined
    expect(refused).toBeInstanceOf(EditConflictError)
    expect(refused?.message).toMatch(/ann edits it since 2026-01-01T/)
    await expect(operations.editFailure(original.id, payloadOf(original))).rejects.toThrow(/edited by ann/)
    expect((await operations.listFailures({ status: 'retrying' })).items).toHaveLength(1)
  })

  it('refuses an edit of what changed since it was shown, and of what is not for a person', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const stale = { expectUpdatedAtMs: original.updatedAtMs - 1 }
    await expect(operations.editFailure(original.id, payloadOf(original), stale)).rejects.toThrow(
      EditConflictError,
    )
    const retrying = await failure(control, engine, { n: 2, status: 'retrying' })
    await expect(operations.editFailure(retrying.id, payloadOf(retrying))).rejects.toThrow(FailureStateError)
    const waiting = await failure(control, engine, { n: 3, status: 'held' })
    await expect(operations.editFailure(waiting.id, payloadOf(waiting))).rejects.toThrow(FailureStateError)
    // Refusals leave no lock behind.
    await operations.editFailure(original.id, payloadOf(original), {
      expectUpdatedAtMs: original.updatedAtMs,
    })
  })

  it('refuses a payload that is no event, of another key, or off the schema', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine, { billing: { schema: numbers } })
    const original = await failure(control, engine, { n: 1 })
    const edit = (payload: Uint8Array): Promise<unknown> => operations.editFailure(original.id, payload)
    await expect(edit(new TextEncoder().encode('{"amount":1}'))).rejects.toThrow(UndecodableEventError)
    await expect(edit(payloadOf({ ...original, key: 'other' }, 1))).rejects.toThrow(InvalidEventError)
    await expect(edit(payloadOf({ ...original, key: 'other' }, 1))).rejects.toThrow(
      /append it as a new event/,
    )
    await expect(edit(payloadOf(original, 'ten'))).rejects.toThrow(SchemaMismatchError)
    await expect(edit(payloadOf(original, 10))).resolves.toBeDefined()
  })

  it('asks before an edited event runs after later events of its key', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine, { billing: { blocks: 'key' } })
    const original = await failure(control, engine, { n: 1 })
    control.outOfOrder.add(original.id)
    await expect(operations.editFailure(original.id, payloadOf(original))).rejects.toThrow(OutOfOrderError)
    const agreed = await operations.editFailure(original.id, payloadOf(original), { allowOutOfOrder: true })
    expect(agreed.item.outOfOrder).toBe(true)
  })

  it('keeps a payload of 1 MiB, and removes the copy that the edit kept of it', async () => {
    const { engine } = world()
    const { operations, control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const text = 'x'.repeat(1024 * 1024)
    const { item } = await operations.editFailure(original.id, payloadOf(original, { text }))
    expect(decodeEvent(await storedPayload(control, item.id)).data).toEqual({ text })
    const blobs: string[] = []
    for await (const { key } of engine.blobs.list('edit-payload/')) blobs.push(key)
    expect(blobs).toEqual([])
  })

  it('gives up when somebody redrives the original meanwhile: never are both versions handled', async () => {
    const { engine, control, original } = await betweenCreateAndCommit()
    const entry = await control.ledger.getById(original.id)
    if (entry === undefined) throw new Error('no original')
    expect(entry.item.status).toBe('dead')
    await control.requeue(entry, { by: 'bob', jobId: 'job', allowOutOfOrder: false })
    expect(await desk(engine).operations.completeEdits()).toBe(0)
    expect((await control.ledger.getById(original.id))?.item.status).toBe('retrying')
    expect((await control.ledger.getById(editId(original)))?.item.status).toBe('dropped')
  })

  it('an edit that was interrupted is finished by the next editor, who is told', async () => {
    const { engine, control, original } = await betweenCreateAndCommit()
    const { operations } = desk(engine)
    const edit = (): Promise<unknown> => operations.editFailure(original.id, payloadOf(original, 2))
    await expect(edit()).rejects.toThrow(/operator edits it since/)
    expect((await control.ledger.getById(original.id))?.item.status).toBe('dead')
    await engine.clock.sleep(31_000)
    await expect(edit()).rejects.toThrow(/operator edits it since/)
    expect((await control.ledger.getById(original.id))?.item.editedBy).toBe(editId(original))
    expect((await control.ledger.getById(editId(original)))?.item.status).toBe('retrying')
  })

  it('takes over a lock whose editor died before anything happened', async () => {
    const { engine } = world()
    const { control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const intent = { partition: 'intent/edit', sort: original.id }
    for (let k = 1; (await engine.table.get(intent)) === undefined; k += 1) {
      const process = crashAt(engine, k, 'after')
      await endOrCrash(desk(process.engine).operations.editFailure(original.id, payloadOf(original)), process)
    }
    const { operations } = desk(engine)
    await expect(operations.editFailure(original.id, payloadOf(original))).rejects.toThrow(EditConflictError)
    await engine.clock.sleep(31_000)
    const { item } = await operations.editFailure(original.id, payloadOf(original), { by: 'bob' })
    expect(item.note).toBe('edited by bob')
  })

  it.each(['before', 'after'] as const)(
    'is carried out whole or not at all, whichever port call a crash stops %s (I9)',
    async (when) => {
      const ends = new Set<string>()
      for (const kept of [10, 300_000]) {
        for (let k = 1; ; k += 1) {
          const end = await editWithCrash(k, when, 'x'.repeat(kept))
          ends.add(end)
          if (end === 'no crash') break
          expect(k).toBeLessThan(60)
        }
      }
      expect(ends).toEqual(new Set(['undone', 'done', 'no crash']))
    },
  )
})

/** An editor that died once its new item was there, and before the original was resolved. */
async function betweenCreateAndCommit(): Promise<{
  readonly engine: Engine
  readonly control: FakeControl
  readonly original: LedgerItem
}> {
  for (let k = 1; k < 40; k += 1) {
    const { engine } = world()
    const { control } = desk(engine)
    const original = await failure(control, engine, { n: 1 })
    const process = crashAt(engine, k, 'after')
    await endOrCrash(
      desk(process.engine).operations.editFailure(original.id, payloadOf(original, 1)),
      process,
    )
    if ((await control.ledger.getById(editId(original))) !== undefined) return { engine, control, original }
  }
  throw new Error('the edit created no item')
}

async function editWithCrash(k: number, when: 'before' | 'after', text: string): Promise<string> {
  const { engine, tokens } = world()
  const { control } = desk(engine)
  const original = await failure(control, engine, { n: 1 })
  const process = crashAt(engine, k, when)
  const work = desk(process.engine).operations.editFailure(original.id, payloadOf(original, { text }))
  if ((await endOrCrash(work, process)) === 'ended') return 'no crash'

  const next = desk(engine).operations
  await next.completeEdits()
  const after = (await control.ledger.getById(original.id))?.item as LedgerItem
  const created = (await control.ledger.getById(editId(original)))?.item
  if (after.status === 'dead') {
    expect(after).toEqual(original)
    expect(created).toBeUndefined()
    // Nothing is left in the way of another edit.
    await next.editFailure(original.id, payloadOf(original))
    return 'undone'
  }
  expect(after).toMatchObject({ status: 'resolved', editedBy: editId(original) })
  expect(created).toMatchObject({ status: 'retrying', editOf: original.id })
  expect(decodeEvent(await storedPayload(control, (created as LedgerItem).id)).data).toEqual({ text })
  expect(tokens).toContain(editId(original))
  expect(await next.completeEdits()).toBe(0)
  return 'done'
}

const numbers: StandardSchemaV1 = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (data) =>
      typeof data === 'number' ? { value: data } : { issues: [{ message: 'not a number' }] },
  },
}
