import { expect, test } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { keys } from '../../src/fail/keys.ts'
import type { LedgerEntry } from '../../src/fail/ledger.ts'
import { refOf } from '../../src/fail/ledger.ts'
import type { LedgerItem } from '../../src/model/ledger-item.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { desk, failure, storedPayload, type World, world } from '../operate/support/fixture.ts'

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

/** The item is archived and taken up again, the writes of one payload meeting each other as `meet` says. */
async function archiveAndRedrive(
  { engine }: World,
  meet: (writes: {
    readonly archive: () => Promise<unknown>
    readonly redrive: () => Promise<unknown>
  }) => Promise<void>,
): Promise<LedgerItem> {
  const { control } = desk(engine)
  const { id } = await failure(control, engine, { n: 1, payload: new Uint8Array(2_000) })
  const change = async (from: LedgerItem['status'], to: LedgerItem['status']): Promise<void> => {
    const before = (await control.ledger.getById(id)) as LedgerEntry
    expect(before.item.status).toBe(from)
    expect(await control.ledger.replace(before, { ...before.item, status: to })).toMatchObject({ ok: true })
  }
  await meet({
    archive: () => change('dead', 'archived'),
    redrive: () => change('archived', 'retrying'),
  })
  return ((await control.ledger.getById(id)) as LedgerEntry).item
}

async function payloadExpiresAtMs({ table }: Engine, item: LedgerItem): Promise<number | undefined> {
  const { laneId, position } = refOf(item)
  const stored = await table.get(keys.payload(item.subscription, laneId, position))
  expect(stored).toBeDefined()
  return stored?.expiresAtMs
}

test('an archived payload expires with its item', async () => {
  const here = world()
  const item = await archiveAndRedrive(here, async ({ archive }) => void (await archive()))
  expect(await payloadExpiresAtMs(here.engine, item)).toBeGreaterThan(here.clock.now())
})

test('an expiry that is on its way while the item is redriven is refused: what lives keeps its payload (I2)', async () => {
  const here = world()
  const { table } = here.engine
  const put = table.put.bind(table)
  const item = await archiveAndRedrive(here, async ({ archive, redrive }) => {
    table.put = async (item, expect) => {
      const written = await put(item, expect)
      if (item.partition.startsWith('ledger/')) {
        table.put = put
        await redrive()
      }
      return written
    }
    await archive()
  })
  expect(item.status).toBe('retrying')
  expect(await payloadExpiresAtMs(here.engine, item)).toBeUndefined()
})

test('an expiry that comes between reading and writing of a redrive is taken back (I2)', async () => {
  const here = world()
  const { table } = here.engine
  const put = table.put.bind(table)
  let expire = (): Promise<unknown> => Promise.resolve()
  const item = await archiveAndRedrive(here, async ({ archive, redrive }) => {
    table.put = async (item, expect) => {
      if (item.expiresAtMs === undefined || !item.partition.startsWith('payload/'))
        return await put(item, expect)
      expire = () => put(item, expect)
      return { ok: true, version: 2 }
    }
    await archive()
    table.put = async (item, expect) => {
      table.put = put
      await expire()
      return await put(item, expect)
    }
    await redrive()
  })
  expect(item.status).toBe('retrying')
  expect(await payloadExpiresAtMs(here.engine, item)).toBeUndefined()
})
