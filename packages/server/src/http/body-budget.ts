import { ServerBusyError } from '@eddy/core'

/** Memory taken for one request's body. */
export interface BodyLease {
  /** @throws ServerBusyError (EDDY_SERVER_BUSY) when the bodies at hand take all of the budget. */
  reserve(bytes: number): void
  release(): void
}

/** Bounds the bytes of all request bodies being read or handled (I6). */
export class BodyBudget {
  readonly #limitBytes: number
  #takenBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  lease(): BodyLease {
    let ownBytes = 0
    return {
      reserve: (bytes) => {
        if (this.#takenBytes + bytes > this.#limitBytes) {
          throw new ServerBusyError('too many request bodies are under way', { limitBytes: this.#limitBytes })
        }
        this.#takenBytes += bytes
        ownBytes += bytes
      },
      release: () => {
        this.#takenBytes -= ownBytes
        ownBytes = 0
      },
    }
  }
}
