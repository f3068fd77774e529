import type { HandlerContext, NewEvent, NewMessage, QueueDefinition, StreamDefinition } from '@eddy/core'
import type { Answer, CallContext, FromThread, ToThread } from './messages.ts'
import { fromWire, toWire } from './wire-error.ts'

/** In the thread: a handler's context. Steps, appends and sends are done by the owner, since storage is there. */
export class ThreadContext implements HandlerContext {
  readonly subscription: string
  readonly stream: string
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subSequenceNumber: number | undefined
  readonly position: string
  readonly eventId: string
  readonly key: string
  readonly arrivedAtMs: number
  readonly attempt: number
  readonly path: HandlerContext['path']
  readonly outOfOrder: boolean
  readonly #id: number
  readonly #post: (message: FromThread) => void
  readonly #requests = new Map<number, Request>()
  #lastRequest = 0
  #aborter: AbortController | undefined
  #abortReason: unknown

  constructor(context: CallContext, id: number, post: (message: FromThread) => void) {
    this.subscription = context.subscription
    this.stream = context.stream
    this.shardId = context.shardId
    this.sequenceNumber = context.sequenceNumber
    this.subSequenceNumber = context.subSequenceNumber
    this.position = context.position
    this.eventId = context.eventId
    this.key = context.key
    this.arrivedAtMs = context.arrivedAtMs
    this.attempt = context.attempt
    this.path = context.path
    this.outOfOrder = context.outOfOrder
    this.#id = id
    this.#post = post
  }

  get signal(): AbortSignal {
    this.#aborter ??= new AbortController()
    if (this.#abortReason !== undefined) this.#aborter.abort(this.#abortReason)
    return this.#aborter.signal
  }

  abort(reason: unknown): void {
    this.#abortReason = reason
    this.#aborter?.abort(reason)
  }

  async step<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
    const answer = this.#ask((id, request) => ({ kind: 'step', id, request, name }), fn)
    return (JSON.parse((await answer) as string) as { value: T }).value
  }

  async append(stream: string | StreamDefinition, events: NewEvent | readonly NewEvent[]): Promise<void> {
    const name = typeof stream === 'string' ? stream : stream.name
    const json = JSON.stringify(events)
    await this.#ask((id, request) => ({ kind: 'append', id, request, stream: name, events: json }))
  }

  async send(queue: string | QueueDefinition, messages: NewMessage | readonly NewMessage[]): Promise<void> {
    const name = typeof queue === 'string' ? queue : queue.name
    const json = JSON.stringify(messages)
    await this.#ask((id, request) => ({ kind: 'send', id, request, queue: name, messages: json }))
  }

  onMessage(message: Extract<ToThread, { kind: 'run' | 'answer' }>): void {
    const request = this.#requests.get(message.request)
    if (request === undefined) return
    if (message.kind === 'run') return void this.#run(message.request, request)
    this.#requests.delete(message.request)
    if (message.answer.ok) request.resolve(message.answer.value)
    else request.reject(fromWire(message.answer.error))
  }

  #ask(message: (id: number, request: number) => FromThread, fn?: () => unknown): Promise<unknown> {
    this.#lastRequest += 1
    const request = this.#lastRequest
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject, fn })
      this.#post(message(this.#id, request))
    })
  }

  /** The step was not finished before: its function runs here, its result is kept by the owner. */
  async #run(request: number, { fn }: Request): Promise<void> {
    let answer: Answer
    try {
      answer = { ok: true, value: JSON.stringify({ value: await fn?.() }) }
    } catch (error) {
      answer = { ok: false, error: toWire(error) }
    }
    this.#post({ kind: 'step-ran', id: this.#id, request, answer })
  }
}

interface Request {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly fn: (() => unknown) | undefined
}
