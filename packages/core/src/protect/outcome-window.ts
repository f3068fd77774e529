/** The last outcomes of a handler: `undefined` is a success, a failure is the type of its error. */
export class OutcomeWindow {
  readonly #size: number
  readonly #outcomes: (string | undefined)[] = []
  #next = 0
  #failed = 0

  constructor(size: number) {
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  get count(): number {
    return this.#outcomes.length
  }

  get failed(): number {
    return this.#failed
  }

  add(errorType: string | undefined): void {
    if (this.#outcomes.length === this.#size && this.#outcomes[this.#next] !== undefined) this.#failed -= 1
    this.#outcomes[this.#next] = errorType
    this.#next = (this.#next + 1) % this.#size
    if (errorType !== undefined) this.#failed += 1
  }

  /** The error that most of the failures had. */
  commonestError(): string | undefined {
    const counts = new Map<string, number>()
    for (const type of this.#outcomes) if (type !== undefined) counts.set(type, (counts.get(type) ?? 0) + 1)
    let commonest: string | undefined
    for (const [type, count] of counts)
      if (commonest === undefined || count > (counts.get(commonest) as number)) commonest = type
    return commonest
  }

  /** The last of these outcomes in a window of another size. */
  resized(size: number): OutcomeWindow {
    const window = new OutcomeWindow(size)
    const inOrder = [...this.#outcomes.slice(this.#next), ...this.#outcomes.slice(0, this.#next)]
    const last = this.#outcomes.length < this.#size ? this.#outcomes : inOrder
    for (const outcome of last.slice(-size)) window.add(outcome)
    return window
  }
}
