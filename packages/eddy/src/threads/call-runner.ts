import { decodeEvent, invoke, isThenable, type SubscriptionDefinition } from '@eddy/core'
import { type CallStates, clockMs } from './call-states.ts'
import type { Answer, CallMessage, CallResult, FromThread, ToThread } from './messages.ts'
import { ThreadContext } from './thread-context.ts'
import { fromWire, toWire } from './wire-error.ts'

/** Results wait for others this long at most: a message costs more than a short call. */
const FLUSH_AFTER_MS = 1

interface WaitingCall {
  readonly call: CallMessage
  readonly bytes: Uint8Array
}

/** In the thread: runs the calls that its owner sends, in the order in which they came, and answers in few messages. */
export class CallRunner {
  readonly #definition: SubscriptionDefinition
  readonly #states: CallStates
  readonly #send: (message: FromThread) => void
  readonly #waiting: WaitingCall[] = []
  readonly #contexts = new Map<number, ThreadContext>()
  #results: CallResult[] = []
  #oldestResultMs = 0
  #isTurning = false

  constructor(definition: SubscriptionDefinition, states: CallStates, send: (message: FromThread) => void) {
    this.#definition = definition
    this.#states = states
    this.#send = send
  }

  onMessage(message: ToThread): void {
    switch (message.kind) {
      case 'calls': {
        for (const call of JSON.parse(message.calls) as readonly CallMessage[]) {
          this.#waiting.push({ call, bytes: new Uint8Array(message.bytes, call.byteOffset, call.byteLength) })
        }
        this.#turn()
        break
      }
      case 'abort': {
        this.#contexts.get(message.id)?.abort(fromWire(message.reason))
        this.#send({ kind: 'aborted', id: message.id })
        break
      }
      case 'run':
      case 'answer':
        this.#contexts.get(message.id)?.onMessage(message)
    }
  }

  /** One call a turn of the loop: between two of them messages come in and promises go on. */
  #turn(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(() => {
      this.#isTurning = false
      const next = this.#waiting.shift()
      if (next !== undefined) this.#begin(next)
      if (this.#waiting.length > 0) this.#turn()
      // Nothing is left to begin: its owner may send more, though what has begun may take a while.
      if (this.#waiting.length === 0 && next !== undefined && this.#results.length === 0)
        this.#send({ kind: 'begun' })
      if (this.#waiting.length === 0 || clockMs() - this.#oldestResultMs > FLUSH_AFTER_MS) this.#flush()
    })
  }

  #begin({ call, bytes }: WaitingCall): void {
    if (!this.#states.begin(call)) return
    const startedMs = clockMs()
    const context = new ThreadContext(call.context, call.id, this.#send)
    this.#contexts.set(call.id, context)
    const ended = (answer: Answer, busyMs: number): void => this.#end(call, answer, startedMs, busyMs)
    const failed = (error: unknown, busyMs: number): void =>
      ended({ ok: false, error: toWire(error) }, busyMs)
    try {
      const returned = this.#invoke(call, bytes, context)
      const busyMs = clockMs() - startedMs
      if (!isThenable(returned)) ended(OK, busyMs)
      else
        Promise.resolve(returned).then(
          () => ended(OK, busyMs),
          (error) => failed(error, busyMs),
        )
    } catch (error) {
      failed(error, clockMs() - startedMs)
    }
  }

  #invoke(call: CallMessage, bytes: Uint8Array, context: ThreadContext): unknown {
    const { schema } = this.#definition
    const handler = call.handler === 'handle' ? this.#definition.handle : this.#definition.onExhausted
    if (handler === undefined) throw new Error(`the application file has no ${call.handler} here`)
    return invoke(handler, schema, decodeEvent(bytes), context)
  }

  #end(call: CallMessage, answer: Answer, startedMs: number, busyMs: number): void {
    // S2. The result may be lost with the thread: the state says that the call itself did not kill it.
    this.#states.end(call)
    this.#contexts.delete(call.id)
    const nowMs = clockMs()
    if (this.#results.length === 0) this.#oldestResultMs = nowMs
    this.#results.push({ id: call.id, answer, busyMs, ranMs: nowMs - startedMs })
    this.#turn()
  }

  #flush(): void {
    if (this.#results.length === 0) return
    const results = this.#results
    this.#results = []
    this.#send({ kind: 'results', results })
  }
}

/** What a handler returns says nothing. */
const OK: Answer = { ok: true, value: undefined }
