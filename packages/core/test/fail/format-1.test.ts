import { expect, test } from 'vitest'
import { keys } from '../../src/fail/keys.ts'
import { refOf } from '../../src/fail/ledger.ts'
import type { LedgerItem } from '../../src/model/ledger-item.ts'
import type { Engine } from '../../src/ports/engine.ts'
import type { TableValue } from '../../src/ports/table.ts'
import { desk, failure, payloadOf, storedPayload, world } from '../operate/support/fixture.ts'

/** As data format 1 has it: the item as it is, its payload in an item of its own. */
async function storeAsFormat1(engine: Engine, item: LedgerItem): Promise<void> {
  const { laneId, position } = refOf(item)
  const partition = keys.ledger(item.subscription, laneId)
  const index = {
    partition: keys.status(item.subscription, item.status),
    sort: `${String(item.statusAtMs).padStart(15, '0')}/${item.id}`,
  }
  const value = JSON.parse(JSON.stringify(item)) as TableValue
  await engine.table.put({ partition, sort: position, value, index }, 'any')
  const bytes = payloadOf(item)
  await engine.table.put({ ...keys.payload(item.subscription, laneId, position), value: { bytes } }, 'any')
}

test('failures of data format 1 are listed, shown and changed, with their errors and payloads', async () => {
  const { engine } = world()
  const { operations, control } = desk(engine)
  const error = { type: 'PaymentRefused', message: 'card refused', fingerprint: 'fp-payment' }
  const attempt = { attempt: 1, path: 'live' as const, startedAtMs: 1, durationMs: 1, error }
  const item = await failure(control, engine, { n: 1, history: [attempt], lastError: error })
  await storeAsFormat1(engine, item)

  const { items } = await operations.listFailures({ status: 'dead' }, { limit: 10 })
  expect(items).toEqual([item])
  expect((await operations.showFailure(item.id)).item.history).toEqual([attempt])
  expect(await storedPayload(control, item.id)).toEqual(payloadOf(item))

  const entry = await control.ledger.getById(item.id)
  if (entry === undefined) throw new Error('the failure is gone')
  const written = await control.ledger.replace(entry, { ...entry.item, status: 'retrying' })
  expect(written.ok).toBe(true)
  const changed = await control.ledger.getById(item.id)
  expect(changed?.item).toMatchObject({ status: 'retrying', history: [attempt], lastError: error })
  expect(await storedPayload(control, item.id)).toEqual(payloadOf(item))
})
