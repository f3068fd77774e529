/**
 * Calls that cannot hand all of their events over at once (there are too many, or a schema takes its time) claim their lanes
 * until they have. A later call that shares a lane waits, so that no event overtakes an earlier call's event of its key (I3).
 * Calls wait for earlier ones alone, so no two wait for each other.
 */
export class LaneClaims {
  readonly #claims = new Set<Claim>()

  /** Nobody claims anything: the usual case, in which no call needs to look. */
  get isEmpty(): boolean {
    return this.#claims.size === 0
  }

  /** @param lanes - in use until `release` */
  claim(lanes: ReadonlySet<string>): Claim {
    const earlier = this.#sharing(lanes)
    const claim = new Claim(lanes, earlier, () => this.#claims.delete(claim))
    this.#claims.add(claim)
    return claim
  }

  /** Whether an earlier call has one of these lanes. */
  blocks(lanes: ReadonlySet<string>): boolean {
    return this.#sharing(lanes).length > 0
  }

  #sharing(lanes: ReadonlySet<string>): Claim[] {
    return [...this.#claims].filter((claim) => claim.shares(lanes))
  }
}

export class Claim {
  /** Resolves when every earlier call with one of these lanes has handed its events over. */
  readonly granted: Promise<unknown>
  readonly #lanes: ReadonlySet<string>
  readonly #released: Promise<void>
  #release: () => void = () => undefined

  constructor(lanes: ReadonlySet<string>, earlier: readonly Claim[], onRelease: () => void) {
    this.#lanes = lanes
    this.granted = Promise.all(earlier.map((claim) => claim.#released))
    this.#released = new Promise((resolve) => {
      this.#release = () => {
        onRelease()
        resolve()
      }
    })
  }

  shares(lanes: ReadonlySet<string>): boolean {
    const [few, many] = lanes.size < this.#lanes.size ? [lanes, this.#lanes] : [this.#lanes, lanes]
    for (const lane of few) if (many.has(lane)) return true
    return false
  }

  release(): void {
    this.#release()
  }
}
