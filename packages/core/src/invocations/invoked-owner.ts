import { type Claims, sharedClaims } from '../fail/claims.ts'
import type { Owner } from '../lease/owner.ts'

/**
 * What a process owns that is invoked: what it was invoked with, for as long as the invocation. There is no place that it
 * works at, and none that it leads.
 */
export class InvokedOwner implements Owner {
  readonly isShared = true
  readonly claims: Claims
  readonly fence: undefined = undefined
  readonly #nextEpoch: () => number

  /** @param processId - names the process among all; neither a number nor with a colon */
  constructor(processId: string, nextEpoch: () => number) {
    this.claims = sharedClaims(processId)
    this.#nextEpoch = nextEpoch
  }

  lease(): undefined {
    return undefined
  }

  isElsewhere(): boolean {
    return false
  }

  nameOf(): undefined {
    return undefined
  }

  leads(): boolean {
    return false
  }

  workers(): readonly string[] {
    return []
  }

  async nextEpoch(): Promise<number> {
    return this.#nextEpoch()
  }

  async offer(): Promise<void> {}

  async listed(): Promise<void> {}

  join(): void {}

  async start(): Promise<void> {}

  close(): void {}

  async end(): Promise<void> {}
}
