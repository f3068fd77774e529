interface NaiveMessage {
  readonly sequence: number
  readonly group: string
  readonly sentAtMs: number
  visibleAtMs: number
  receives: number
  hidden: boolean
}

/** What a queue is to do, by looking at every message each time. */
export class NaiveQueue {
  readonly #fifo: boolean
  #messages: NaiveMessage[] = []

  constructor(fifo: boolean) {
    this.#fifo = fifo
  }

  add(message: Pick<NaiveMessage, 'sequence' | 'group' | 'sentAtMs' | 'visibleAtMs'>): void {
    this.#messages.push({ ...message, receives: 0, hidden: message.visibleAtMs > message.sentAtMs })
  }

  settle(nowMs: number, retentionMs: number): readonly number[] {
    const expired = this.#messages.filter(({ sentAtMs }) => nowMs >= sentAtMs + retentionMs)
    this.#messages = this.#messages.filter((message) => !expired.includes(message))
    for (const message of this.#messages) if (message.visibleAtMs <= nowMs) message.hidden = false
    return expired.map(({ sequence }) => sequence)
  }

  take(request: {
    readonly count: number
    readonly nowMs: number
    readonly visibilityMs: number
    readonly maxReceives: number | undefined
  }): readonly (readonly number[])[] {
    const taken: NaiveMessage[] = []
    const givenUp: NaiveMessage[] = []
    const isBlocked = (group: string): boolean =>
      this.#messages.some(
        (one) => one.group === group && one.hidden && one.receives > 0 && !taken.includes(one),
      )
    let open: string | undefined
    while (taken.length < request.count) {
      const left = this.#messages.filter((one) => !taken.includes(one))
      const heads = left.filter(
        (one) =>
          !one.hidden &&
          (!this.#fifo || (!isBlocked(one.group) && left.find(({ group }) => group === one.group) === one)),
      )
      const began = (group: string): boolean => taken.some((one) => one.group === group)
      const next =
        heads.find(({ group }) => this.#fifo && group === open) ??
        heads.find(({ group }) => !this.#fifo || !began(group))
      if (next === undefined) break
      open = next.group
      if (request.maxReceives !== undefined && next.receives >= request.maxReceives) {
        givenUp.push(next)
        this.remove(next.sequence)
        continue
      }
      taken.push(next)
    }
    for (const one of taken) {
      one.receives++
      one.visibleAtMs = request.nowMs + request.visibilityMs
      one.hidden = request.visibilityMs > 0
    }
    return [taken, givenUp].map((some) => some.map(({ sequence }) => sequence))
  }

  first(): number | undefined {
    const copy = new NaiveQueue(this.#fifo)
    copy.#messages = this.#messages.map((one) => ({ ...one }))
    return copy.take({ count: 1, nowMs: 0, visibilityMs: 1, maxReceives: undefined })[0]?.[0]
  }

  hide(sequence: number, untilMs: number): void {
    for (const one of this.#messages) {
      if (one.sequence !== sequence) continue
      one.visibleAtMs = untilMs
      one.hidden = true
    }
  }

  delayAnew(delayMs: number): void {
    for (const one of this.#messages) {
      if (one.receives > 0) continue
      one.visibleAtMs = one.sentAtMs + delayMs
      one.hidden = true
    }
  }

  remove(sequence: number): void {
    this.#messages = this.#messages.filter((one) => one.sequence !== sequence)
  }

  clear(): void {
    this.#messages = []
  }

  sequences(): readonly number[] {
    return this.#messages.map(({ sequence }) => sequence)
  }

  inFlight(): readonly number[] {
    return this.#messages
      .filter(({ hidden, receives }) => hidden && receives > 0)
      .map(({ sequence }) => sequence)
  }

  /** Ready, in flight, delayed. */
  counts(): readonly number[] {
    const hidden = this.#messages.filter((one) => one.hidden)
    const inFlight = hidden.filter(({ receives }) => receives > 0).length
    return [this.#messages.length - hidden.length, inFlight, hidden.length - inFlight]
  }

  nextDueMs(): number | undefined {
    const due = this.#messages.filter(({ hidden }) => hidden).map(({ visibleAtMs }) => visibleAtMs)
    return due.length === 0 ? undefined : Math.min(...due)
  }
}
