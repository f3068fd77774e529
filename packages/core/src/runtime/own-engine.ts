import { CrashMarker } from '../consume/crash-marker.ts'
import type { Ownership } from '../lease/leases.ts'
import type { Owner } from '../lease/owner.ts'
import { SharedOwner, workerId } from '../lease/shared-owner.ts'
import { SoleOwner } from '../lease/sole-owner.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { Mutex } from './mutex.ts'
import { ProcessState } from './process-state.ts'
import { persist } from './stop-signal.ts'

export interface OwnedEngine {
  readonly owner: Owner
  readonly crashMarker: CrashMarker
  /** Of the process that owns all of the engine. */
  readonly process: ProcessState | undefined
}

export interface OwnEngineOptions {
  readonly engine: Pick<Engine, 'table' | 'clock'>
  readonly ownership: Ownership | undefined
  readonly logger: Logger
  readonly suspects: Mutex
  readonly stopping: AbortSignal
}

/**
 * Says what of the engine is this process's: all of it, or what it will have leases of.
 * @throws EngineSharedError, EngineOwnedError when others own it the other way
 */
export async function ownEngine(options: OwnEngineOptions): Promise<OwnedEngine> {
  const { engine, ownership, logger, suspects, stopping } = options
  const { table, clock } = engine
  if (ownership === undefined) {
    const process = await persist(clock, stopping, logger, 'beginning', () => ProcessState.begin(table))
    if (process.lastStop !== 'clean')
      logger.warn(
        { lastStop: process.lastStop },
        'the last process did not stop cleanly: what was in flight is handled again',
      )
    return { owner: new SoleOwner(process), crashMarker: new CrashMarker(table, suspects), process }
  }
  await persist(clock, stopping, logger, 'joining the workers', () => ProcessState.share(table))
  const worker = workerId(clock)
  const crashMarker = new CrashMarker(table, suspects, worker)
  const owner = new SharedOwner({
    worker,
    ports: { table, clock },
    leaseMs: ownership.leaseMs,
    name: ownership.name,
    logger,
    inherit: (dead) =>
      persist(clock, stopping, logger, 'reading the marker of a dead worker', () =>
        crashMarker.inherit(dead),
      ),
  })
  return { owner, crashMarker, process: undefined }
}
