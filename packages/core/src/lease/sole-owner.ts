import { type Claims, soleClaims } from '../fail/claims.ts'
import type { ProcessState } from '../runtime/process-state.ts'
import type { Lease, Owner } from './owner.ts'

/** The one process that owns the engine: everything is its to read, under the epoch that its start raised. */
export class SoleOwner implements Owner {
  readonly isShared = false
  readonly claims: Claims
  readonly fence: number
  readonly #lease: Lease

  constructor({ epoch, lastStop }: Pick<ProcessState, 'epoch' | 'lastStop'>) {
    this.fence = epoch
    this.claims = soleClaims(epoch)
    const reading = { epoch, isOver: () => false }
    this.#lease = { lastStop, begin: async () => reading }
  }

  lease(): Lease {
    return this.#lease
  }

  isElsewhere(): boolean {
    return false
  }

  nameOf(): undefined {
    return undefined
  }

  leads(): boolean {
    return true
  }

  workers(): readonly string[] {
    return []
  }

  async nextEpoch(): Promise<number> {
    return this.fence
  }

  async offer(): Promise<void> {}

  async listed(): Promise<void> {}

  join(): void {}

  async start(): Promise<void> {}

  close(): void {}

  async end(): Promise<void> {}
}
