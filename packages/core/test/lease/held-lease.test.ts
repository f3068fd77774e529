import { describe, expect, test } from 'vitest'
import { HeldLease, type LeasePorts } from '../../src/lease/held-lease.ts'
import { type LeaseRow, leaseKey } from '../../src/lease/lease-row.ts'
import { nextEpoch } from '../../src/lease/next-epoch.ts'
import type { Table } from '../../src/ports/table.ts'
import { Fenced } from '../../src/runtime/fenced.ts'
import { world } from '../operate/support/fixture.ts'

const PLACE = 'shard/orders/shardId-000000000000'
const FREE: LeaseRow = { owner: '', term: '', counter: 1, unclean: 0 }

function lease(): {
  readonly ports: LeasePorts
  readonly table: Table
  pass(ms: number): void
  take(worker: string): Promise<HeldLease>
} {
  const { engine } = world()
  let monotonicMs = 0
  const clock = {
    ...engine.clock,
    now: () => 1_000 + monotonicMs,
    monotonicMs: () => monotonicMs,
    random: () => 0.5,
  }
  const { table } = engine
  const ports = { table, clock }
  const take = async (worker: string): Promise<HeldLease> => {
    const item = await table.get<LeaseRow>(leaseKey(PLACE))
    const seen = item ?? { value: FREE, version: await put(table) }
    const taken = await HeldLease.take(ports, { worker, leaseMs: 1_000 }, PLACE, {
      row: seen.value,
      version: seen.version,
    })
    if (taken === undefined) throw new Error('it was not taken')
    return taken
  }
  return {
    ports,
    table,
    take,
    pass: (ms) => {
      monotonicMs += ms
    },
  }
}

async function put(table: Table): Promise<number> {
  const written = await table.put<LeaseRow>({ ...leaseKey(PLACE), value: FREE }, 'absent')
  if (!written.ok) throw new Error('there is a row')
  return written.version
}

describe('a lease', () => {
  test('is over before anybody else may take it, and stays so though a renewal comes through (O1)', async () => {
    const { take, pass } = lease()
    const held = await take('a')
    pass(899)
    expect(held.isOver()).toBe(false)
    await held.renew()
    pass(899)
    expect(held.isOver()).toBe(false)
    pass(2)
    expect(held.isOver()).toBe(true)
    await expect(held.renew()).rejects.toThrow(Fenced)
  })

  test('that was taken from a worker that is slow rather than dead gives that one no epoch any more (O2)', async () => {
    const { take, ports } = lease()
    const former = await take('a')
    const { epoch: first } = await former.begin()
    const later = await take('b')
    const { epoch: second } = await later.begin()
    expect(second).toBeGreaterThan(first)
    await expect(former.begin()).rejects.toThrow(Fenced)
    expect(former.isOver()).toBe(true)
    expect(later.isOver()).toBe(false)
    // Never below the wall time, and rising whatever the clock does.
    expect(await nextEpoch(ports)).toBeGreaterThan(second + 1)
  })

  test("that another worker asked for is still its owner's, who learns of it", async () => {
    const { take, table } = lease()
    const held = await take('a')
    const item = await table.get<LeaseRow>(leaseKey(PLACE))
    await table.put<LeaseRow>(
      { ...leaseKey(PLACE), value: { ...(item?.value as LeaseRow), wantedBy: 'b' } },
      'any',
    )
    await held.renew()
    expect(held.wantedBy).toBe('b')
    expect(held.isOver()).toBe(false)
  })

  test('counts the ends that were not clean, until what was under way is done', async () => {
    const { take } = lease()
    const first = await take('a')
    expect(first.lastStop).toBe('clean')
    const second = await take('b')
    expect(second.lastStop).toBe('unclean')
    expect(second.takenFrom).toBe('a')
    const third = await take('c')
    expect(third.lastStop).toBe('looping')
    await third.recovered()
    expect(third.lastStop).toBe('clean')
    await third.release('clean')
    expect((await take('d')).lastStop).toBe('clean')
  })

  test('that is let go before everything is done leaves the rest of the replay to the next owner', async () => {
    const { take } = lease()
    await take('a')
    await (await take('b')).release('clean')
    const next = await take('c')
    expect(next.lastStop).toBe('unclean')
    expect(next.takenFrom).toBeUndefined()
    await next.release('unclean')
    expect((await take('d')).lastStop).toBe('looping')
  })
})
