/** A body of 1,024 bytes of JSON that says which one of the queue's messages it is. */
export interface Body {
  readonly n: number
}

/** One message of a hundred is the kind that fails, this many times before it succeeds. */
const FAILING_ONE_OF = 100
const FAILURES = 2
export const ATTEMPTS: number = FAILURES + 1
/** Of the first message that fails: the others are as far apart. */
const FIRST_FAILING = 7

/** Every side's handler, and what it has seen: nothing is believed to be handled that was not counted here. */
export class Tally {
  readonly count: number
  readonly #attempts: Uint8Array
  readonly #handled: Uint8Array
  readonly #isFailing: boolean
  readonly #done: Promise<void>
  #finish: () => void = () => {}
  #fail: (error: unknown) => void = () => {}
  #missing: number

  /** @param kind - `failing`: one message of a hundred fails twice before it succeeds */
  constructor(count: number, kind: 'flawless' | 'failing') {
    this.count = count
    this.#missing = count
    this.#isFailing = kind === 'failing'
    this.#attempts = new Uint8Array(count)
    this.#handled = new Uint8Array(count)
    this.#done = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
    // Whoever waits for completion is told; before that nobody has to listen.
    this.#done.catch(() => {})
  }

  /** The side cannot go on: whoever waits for completion gets the error. */
  fail(error: unknown): void {
    this.#fail(error)
  }

  /** The handler: asynchronous, and otherwise does nothing. @throws where this attempt is one that fails */
  async handle({ n }: Body): Promise<void> {
    const attempts = (this.#attempts[n] ?? 0) + 1
    this.#attempts[n] = attempts
    if (this.#isFailing && n % FAILING_ONE_OF === FIRST_FAILING && attempts <= FAILURES)
      throw new Error('the downstream refused it')
    if (this.#handled[n] === 1) return
    this.#handled[n] = 1
    this.#missing -= 1
    if (this.#missing === 0) this.#finish()
  }

  /** Resolves when every message has succeeded. @throws Error when the time is up first */
  async complete(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const reason = (): Error =>
        new Error(`${this.#missing} of ${this.count} messages were not handled in ${timeoutMs} ms`)
      timer = setTimeout(() => reject(reason()), timeoutMs)
    })
    try {
      await Promise.race([this.#done, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws Error unless every message was tried exactly as often as it has to be */
  check(): void {
    for (let n = 0; n < this.count; n += 1) {
      const expected = this.#isFailing && n % FAILING_ONE_OF === FIRST_FAILING ? ATTEMPTS : 1
      if (this.#handled[n] !== 1) throw new Error(`message ${n} was never handled`)
      if (this.#attempts[n] !== expected)
        throw new Error(`message ${n} was tried ${this.#attempts[n]} times instead of ${expected}`)
    }
  }
}
