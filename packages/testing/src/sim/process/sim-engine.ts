import { type Engine, type Log, limitedLog } from '@eddy/core'
import { md5, md5Hex } from '../store/stream-store.ts'
import { simBlobs } from './sim-blobs.ts'
import { simLog } from './sim-log.ts'
import type { SimProcess } from './sim-process.ts'
import { simQueue } from './sim-queue.ts'
import { simTable } from './sim-table.ts'

/** A process's view of the simulated world. */
export interface SimEngine extends Engine {
  readonly processId: number
  /** False once it was closed or crashed. */
  readonly isRunning: boolean
}

export function simEngine(process: SimProcess): SimEngine {
  return {
    processId: process.id,
    get isRunning() {
      return process.isRunning
    },
    log: withinLimits(process),
    queue: simQueue(process),
    table: simTable(process),
    blobs: simBlobs(process),
    clock: process.clock,
    md5Hex,
    md5,
    stats: () => ({ portCalls: process.world.callCount }),
    close: async () => process.close(),
  }
}

/** A service refuses before anything can go wrong with what it took: limits are outside of the world's faults. */
function withinLimits(process: SimProcess): Log {
  const { store, budgets } = process.world
  return limitedLog({
    log: simLog(process),
    clock: process.clock,
    find: (name) => store.log.find(name)?.info,
    shardIdOf: (name, entry) => store.log.find(name)?.place(entry),
    budgets,
  })
}
