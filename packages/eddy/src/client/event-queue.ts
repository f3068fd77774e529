import {
  type AppendOutcome,
  EngineClosedError,
  type NewEvent,
  type NewMessage,
  RecordTooLargeError,
  type SendOutcome,
} from '@eddy/core'
import { encodeEvent, encodeMessage } from './encode-event.ts'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  MAX_RECORD_BYTES,
  messagesPath,
  type Outcome,
  RecordSender,
  type RecordSenderOptions,
  recordsPath,
} from './record-sender.ts'

/** Encoded events that wait for their request; at the bound, further appends wait before they are encoded (I6). */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

interface Waiting {
  readonly path: string
  readonly line: Uint8Array
  settle(outcome: Outcome): void
  fail(error: unknown): void
}

/** Joins concurrent appends and sends into requests, one in flight at a time, in the order of the calls. */
export class EventQueue {
  readonly #sender: RecordSender
  readonly #waiting: Waiting[] = []
  readonly #blocked: (() => void)[] = []
  #waitingBytes = 0
  #sequence = 1
  #pumping: Promise<void> | undefined
  #closed = false

  constructor(options: RecordSenderOptions) {
    this.#sender = new RecordSender(options)
  }

  async append(stream: string, events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    return (await this.#send(recordsPath(stream), events, encodeEvent)) as readonly AppendOutcome[]
  }

  async send(queue: string, messages: readonly NewMessage[]): Promise<readonly SendOutcome[]> {
    return (await this.#send(messagesPath(queue), messages, encodeMessage)) as readonly SendOutcome[]
  }

  async #send<T>(
    path: string,
    items: readonly T[],
    encode: (item: T) => Uint8Array,
  ): Promise<readonly Outcome[]> {
    if (this.#closed) throw new EngineClosedError()
    // Appends that wait for room keep their order: they are let in one by one.
    if (this.#blocked.length > 0 || this.#waitingBytes >= MAX_WAITING_BYTES) {
      await new Promise<void>((resolve) => this.#blocked.push(resolve))
    }
    const lines = items.map((item) => encode(item))
    const outcomes = lines.map((line) => this.#enqueue(path, line))
    this.#pumping ??= this.#pump()
    this.#letIn()
    return await Promise.all(outcomes)
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#pumping !== undefined || this.#blocked.length > 0) {
      this.#letIn()
      await (this.#pumping ?? Promise.resolve())
    }
  }

  #enqueue(path: string, line: Uint8Array): Promise<Outcome> {
    if (line.length > MAX_RECORD_BYTES) {
      const { message } = new RecordTooLargeError(line.length, MAX_RECORD_BYTES)
      return Promise.resolve({ ok: false, code: 'too-large', retryable: false, message })
    }
    this.#waitingBytes += line.length
    return new Promise((settle, fail) => {
      this.#waiting.push({ path, line, settle, fail })
    })
  }

  async #pump(): Promise<void> {
    // One turn later, so that appends of the same turn share the first request.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      const { path } = batch[0] as Waiting
      const firstSequence = this.#sequence
      this.#sequence += batch.length
      try {
        const lines = batch.map(({ line }) => line)
        const outcomes = await this.#sender.send<Outcome>({ path, lines, firstSequence })
        for (const [index, { settle }] of batch.entries()) settle(outcomes[index] as Outcome)
      } catch (error) {
        for (const { fail } of batch) fail(error)
      }
      this.#letIn()
    }
    this.#pumping = undefined
  }

  #takeBatch(): readonly Waiting[] {
    const path = this.#waiting[0]?.path
    let count = 0
    let bytes = 0
    for (const { path: next, line } of this.#waiting) {
      const isFull = count >= MAX_BATCH_RECORDS || (count > 0 && bytes + line.length > MAX_BATCH_BYTES)
      if (next !== path || isFull) break
      count += 1
      bytes += line.length
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  #letIn(): void {
    if (this.#waitingBytes < MAX_WAITING_BYTES) this.#blocked.shift()?.()
  }
}
