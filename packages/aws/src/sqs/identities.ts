import { type Clock, type QueueMessage, randomUuid } from '@eddy/core'

/** What a message keeps, however often it is sent. */
export interface Identity {
  readonly id: string
  /** 22 digits: milliseconds, a count within them, and who counted. */
  readonly seq: string
  readonly atMs: number
  /** Undefined: at once. */
  readonly dueAtMs: number | undefined
}

const COUNT_DIGITS = 4
const MAX_COUNT = 10 ** COUNT_DIGITS
const OWN_DIGITS = 5

/**
 * Names messages. Standard queues of SQS number nothing, so the sender does: its numbers rise, whatever its clock does, and
 * those of two senders differ.
 */
export class Identities {
  readonly #clock: Clock
  readonly #own: string
  /** Of messages that were not accepted, as far as is known: sent again, they are the same messages. */
  readonly #unsent = new WeakMap<QueueMessage, Identity>()
  #lastMs = 0
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#own = digits(Math.floor(clock.random() * 10 ** OWN_DIGITS), OWN_DIGITS)
  }

  of(message: QueueMessage): Identity {
    const known = this.#unsent.get(message)
    // Once: the same object twice in a call is two messages.
    if (known !== undefined) this.#unsent.delete(message)
    return known ?? this.#next(message)
  }

  notAccepted(message: QueueMessage, identity: Identity): void {
    this.#unsent.set(message, identity)
  }

  #next({ delayMs }: QueueMessage): Identity {
    const nowMs = this.#clock.now()
    this.#count += 1
    if (Math.floor(nowMs) > this.#lastMs || this.#count === MAX_COUNT) {
      this.#lastMs = Math.max(Math.floor(nowMs), this.#lastMs + 1)
      this.#count = 0
    }
    return {
      id: randomUuid(this.#clock),
      seq: `${digits(this.#lastMs, 13)}${digits(this.#count, COUNT_DIGITS)}${this.#own}`,
      atMs: nowMs,
      dueAtMs: delayMs > 0 ? nowMs + delayMs : undefined,
    }
  }
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
