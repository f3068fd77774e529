import type { Table } from '@eddy/core'
import { quietFaults, type SimEngine, SimWorld } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../../src/aws/sqs/store/journal.ts'

function item(sort: string, value: number) {
  return { partition: 'p', sort, value }
}

function values(world: SimWorld): unknown[] {
  return world.store.allItems('p').map(({ sort, value }) => [sort, value])
}

function journalOver(
  table: Table,
  engine: SimEngine,
): { readonly journal: Journal; readonly broken: unknown[] } {
  const broken: unknown[] = []
  return { journal: new Journal(table, engine.clock, (error) => broken.push(error)), broken }
}

describe('SQS: the journal', () => {
  it('answers for what was handed in before, also when nothing is new', async () => {
    const slow = { ...quietFaults, callMs: { minMs: 5, maxMs: 5 } }
    const world = new SimWorld({ seed: 1, faults: slow })
    const engine = world.boot()
    const { journal } = journalOver(engine.table, engine)
    const order: string[] = []
    const first = journal.commit({ puts: [item('a', 1)] }).then(() => order.push('first'))
    const second = journal.commit({ puts: [item('a', 2), item('b', 1)] }).then(() => order.push('second'))
    const nothing = journal.commit({}).then(() => order.push('nothing'))
    await world.clock.advance(5)
    expect([order, values(world)]).toEqual([['first'], [['a', 1]]])
    await world.clock.settle(Promise.all([first, second, nothing]))
    expect(order).toEqual(['first', 'second', 'nothing'])
    expect(values(world)).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    await journal.commit({})
  })

  it('a try that failed has no late effect on what is written after it', async () => {
    const world = new SimWorld({ seed: 1, faults: quietFaults })
    const engine = world.boot()
    const failing = new Set(['bad'])
    const slow = new Set(['slow'])
    const table: Table = {
      ...engine.table,
      put: async (put, expected) => {
        if (failing.delete(put.sort)) throw new Error('not now')
        if (slow.delete(put.sort)) await engine.clock.sleep(1_000)
        return await engine.table.put(put, expected)
      },
    }
    const { journal, broken } = journalOver(table, engine)
    const first = journal.commit({ puts: [item('bad', 1)] })
    const second = journal.commit({ puts: [item('slow', 1)] })
    await world.clock.settle(Promise.all([first, second]))
    failing.add('bad')
    slow.add('slow')
    const both = [journal.commit({}), journal.commit({ puts: [item('x', 1)] })]
    const third = journal.commit({ puts: [item('bad', 2)] })
    const fourth = journal.commit({ puts: [item('slow', 2)] })
    await world.clock.settle(Promise.all([...both, third, fourth]))
    await world.clock.settle(journal.commit({ puts: [item('slow', 3)] }))
    await world.clock.advance(5_000)
    expect(values(world)).toEqual([
      ['bad', 2],
      ['slow', 3],
      ['x', 1],
    ])
    expect(broken).toEqual([])
  })

  it('takes nothing more once a flush has failed in the end, and says so to all who wait', async () => {
    const world = new SimWorld({ seed: 1, faults: { ...quietFaults, writeRejected: 1 } })
    const engine = world.boot()
    const { journal, broken } = journalOver(engine.table, engine)
    const waiting = [journal.commit({ puts: [item('a', 1)] }), journal.commit({ puts: [item('b', 1)] })]
    const ends = await world.clock.settle(Promise.allSettled(waiting))
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    world.faults = quietFaults
    await expect(journal.commit({ puts: [item('c', 1)] })).rejects.toThrow('simulated')
    expect(broken.length).toBe(1)
    expect(values(world).flat()).not.toContain('c')
  })

  it('deletes last what is to be deleted last', async () => {
    const world = new SimWorld({ seed: 1, faults: { ...quietFaults, callMs: { minMs: 0, maxMs: 9 } } })
    const engine = world.boot()
    const { journal } = journalOver(engine.table, engine)
    await world.clock.settle(journal.commit({ puts: [item('a', 1), item('b', 1)] }))
    const seen: string[] = []
    world.onCall = ({ op, args }) => seen.push(`${op} ${(args[0] as { readonly sort: string }).sort}`)
    const moved = journal.commit({
      puts: [item('c', 1)],
      deletes: [{ partition: 'p', sort: 'b' }],
      finally: [{ partition: 'p', sort: 'a' }],
    })
    await world.clock.settle(moved)
    expect(seen).toEqual(['table.put c', 'table.delete b', 'table.delete a'])
    expect(values(world)).toEqual([['c', 1]])
  })
})
