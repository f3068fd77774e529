import {
  InvalidOptionError,
  type ItemKey,
  type QueryPage,
  type QueryRequest,
  StorageError,
  type Table,
  type TableItem,
  type TableValue,
  type WriteResult,
} from '@eddy/core'
import { cloneItem, cloneValue } from '../store/clone-value.ts'
import { checkCount, checkWhole } from './check-options.ts'
import type { SimProcess } from './sim-process.ts'

const MAX_SORT_BYTES = 1_024

/** The Table port of one simulated process. */
export function simTable(process: SimProcess): Table {
  const { world } = process
  const { table } = world.store
  const now = (): number => world.clock.now()
  const find = <V extends TableValue>(key: ItemKey): TableItem<V> | undefined => {
    const item = table.get(key, now())
    return item && cloneItem<V>(item)
  }
  const look = <T>(effect: () => T): T => {
    if (world.dice.strikes('readRejected')) throw new StorageError('simulated: the read failed')
    return effect()
  }
  return {
    get: async <V extends TableValue>(key: ItemKey) =>
      process.read('table.get', [key], () => look(() => find<V>(key))),
    getMany: async <V extends TableValue>(keys: readonly ItemKey[]) => {
      checkCount('keys', keys, 1_000)
      const copies = keys.map(({ partition, sort }) => ({ partition, sort }))
      return process.read('table.getMany', [copies], () => look(() => copies.map((key) => find<V>(key))))
    },
    put: async (item, expect) => {
      checkKey(item)
      const copy = { ...item, value: cloneValue(item.value) }
      const put = (): WriteResult => table.put(copy, expect, now(), indexAtMs(process))
      return write(process, 'table.put', [copy, expect], put) as Promise<never>
    },
    delete: async (key, expect) => {
      checkKey(key)
      const remove = (): WriteResult => table.delete(key, expect, now(), indexAtMs(process))
      return write(process, 'table.delete', [key, expect], remove)
    },
    query: async <V extends TableValue>(request: QueryRequest) => {
      checkWhole('limit', request.limit, 1, 1_000)
      const copy = { ...request }
      return process.read('table.query', [copy], () => look(() => query<V>(process, copy)))
    },
    count: async (partition, byIndex = false) =>
      process.read('table.count', [partition, byIndex], () =>
        look(() => table.count(partition, byIndex, now())),
      ),
  }
}

function write(
  process: SimProcess,
  op: 'table.put' | 'table.delete',
  args: readonly unknown[],
  effect: () => WriteResult,
): Promise<WriteResult> {
  const { dice } = process.world
  const withFaults = (): WriteResult => {
    if (!dice.strikes('writeRejected')) return effect()
    if (dice.tookEffect()) effect()
    throw new StorageError('simulated: the write was not answered')
  }
  return process.write(op, args, withFaults, effect)
}

function query<V extends TableValue>(process: SimProcess, request: QueryRequest): QueryPage<V> {
  const { clock, dice, store } = process.world
  const short = request.limit > 1 && dice.strikes('shortPage')
  const limit = short ? 1 + dice.prng.int(request.limit - 1) : request.limit
  return store.table.query({ ...request, limit }, clock.now()) as QueryPage<V>
}

function indexAtMs(process: SimProcess): number {
  const { clock, dice } = process.world
  return clock.now() + (dice.strikes('indexLag') ? dice.between(dice.plan.indexLagMs) : 0)
}

function checkKey(key: ItemKey): void {
  const sortBytes = Buffer.byteLength(key.sort)
  if (sortBytes > MAX_SORT_BYTES) {
    throw new InvalidOptionError('sort', `at most ${MAX_SORT_BYTES} bytes`, sortBytes)
  }
}
