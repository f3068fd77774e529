import { expect, test } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import type { LedgerEntry } from '../../src/fail/ledger.ts'
import { desk, failure, storedPayload, world } from '../operate/support/fixture.ts'

test('a payload whose expiry is not written stays, and stops nothing: the item is put away all the same (I9)', async () => {
  const { engine } = world()
  const { table } = engine
  const put = table.put.bind(table)
  table.put = async (item, expect) => {
    if (item.partition.startsWith('payload/') && item.expiresAtMs !== undefined) throw new StorageError('no')
    return await put(item, expect)
  }
  const { control } = desk(engine)
  // Too large to lie in its item.
  const { id } = await failure(control, engine, { n: 1, payload: new Uint8Array(2_000) })
  const before = (await control.ledger.getById(id)) as LedgerEntry
  const written = await control.ledger.replace(before, {
    ...before.item,
    status: 'dropped',
    reason: 'not wanted',
  })
  expect(written).toMatchObject({ ok: true, entry: { item: { status: 'dropped' } } })
  expect(await storedPayload(control, id)).toHaveLength(2_000)
})
