interface Waiting<I, R> {
  readonly input: I
  readonly resolve: (result: R) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Makes one call of those that come in the same breath, as they do when a commit has let many events go on. Nobody
 * waits longer for it: the call goes out before anything else happens.
 */
export class JoinedCalls<I, R> {
  readonly #call: (inputs: readonly I[]) => Promise<readonly R[]>
  readonly #maxInputs: number
  #waiting: Waiting<I, R>[] = []

  /** @param call - answers with a result an input, in order; what it rejects with, each of its callers is told */
  constructor(call: (inputs: readonly I[]) => Promise<readonly R[]>, maxInputs: number) {
    this.#call = call
    this.#maxInputs = maxInputs
  }

  add(input: I): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject })
      if (this.#waiting.length === 1) void Promise.resolve().then(() => this.#send())
      else if (this.#waiting.length === this.#maxInputs) this.#send()
    })
  }

  #send(): void {
    const joined = this.#waiting
    if (joined.length === 0) return
    this.#waiting = []
    void this.#settle(joined)
  }

  async #settle(joined: readonly Waiting<I, R>[]): Promise<void> {
    try {
      const results = await this.#call(joined.map(({ input }) => input))
      for (const [index, { resolve }] of joined.entries()) resolve(results[index] as R)
    } catch (error) {
      for (const { reject } of joined) reject(error)
    }
  }
}
