import { Worker } from 'node:worker_threads'
import { HandlerThreadError, type NewEvent, type NewMessage } from '@eddy/core'
import { CallStates, MAX_CALL_ID, MAX_CALLS } from './call-states.ts'
import type {
  Answer,
  CallContext,
  CallMessage,
  CallResult,
  FromThread,
  ThreadSetup,
  ToThread,
} from './messages.ts'
import type { PoolCall } from './pool-call.ts'
import { fromWire, toWire } from './wire-error.ts'

export interface HandlerThreadOptions {
  /** `thread-main`, built: a worker thread starts from JavaScript. */
  readonly module: URL
  readonly appFile: string
  readonly subscription: string
  /** It has room for more calls. `busyMs`: for how long each of the ended ones kept it busy. */
  readonly onRoom: (busyMs: readonly number[]) => void
  /** The thread is gone. Calls that it had not begun, or whose result was lost, are handed back. */
  readonly onExit: (reason: Error, handedBack: readonly PoolCall[], failedCalls: number) => void
}

interface Held {
  readonly id: number
  readonly place: number
  readonly call: PoolCall
  /** Steps whose function runs in the thread. */
  steps: Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }> | undefined
  isAborted: 'no' | 'asked' | 'seen'
}

/** The owner's side of one thread: what it was given, what it asks for, what is left when it dies. */
export class HandlerThread {
  /** Resolves once the application file is loaded there; rejects with why it could not be. */
  readonly ready: Promise<void>
  readonly #options: HandlerThreadOptions
  readonly #states = new CallStates()
  readonly #worker: Worker
  readonly #held = new Map<number, Held>()
  readonly #freePlaces: number[] = Array.from({ length: MAX_CALLS }, (_, index) => index)
  /** Sent and perhaps not begun, in the order in which the thread begins them. */
  #unbegun: Held[] = []
  #lastId = 0
  #isReady = false
  #death: Error | undefined

  constructor(options: HandlerThreadOptions) {
    this.#options = options
    const { module, appFile, subscription } = options
    const workerData: ThreadSetup = { appFile, subscription, memory: this.#states.memory }
    this.#worker = new Worker(module, { workerData, execArgv: execArgv(), name: `eddy ${subscription}` })
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          this.#isReady = true
          resolve()
        } else if (message.kind === 'not-ready') {
          this.#death = asError(fromWire(message.error))
          void this.end()
        } else this.#onMessage(message)
      })
      this.#worker.on('error', (error) => {
        this.#death ??= asError(error)
      })
      this.#worker.on('exit', (code) => {
        const reason = this.#death ?? new Error(`exit code ${code}`)
        reject(reason)
        this.#onExit(reason)
      })
    })
    // Whoever started it looks at `ready` first; a death later on is told by `onExit`.
    this.ready.catch(() => {})
  }

  /** How many calls may be sent. */
  get room(): number {
    return this.#isReady ? this.#freePlaces.length : 0
  }

  /** Calls that were sent and have not begun. */
  get unbegun(): number {
    const first = this.#unbegun.findIndex((held) => this.#states.of(held) === 'waiting')
    if (first !== 0) this.#unbegun = first < 0 ? [] : this.#unbegun.slice(first)
    return this.#unbegun.length
  }

  /** The call that the thread begins next: while it stays the same, the thread is busy with another one. */
  get next(): number | undefined {
    return this.unbegun === 0 ? undefined : this.#unbegun[0]?.id
  }

  ranMs(id: number): number | undefined {
    const held = this.#held.get(id)
    if (held === undefined) return undefined
    const state = this.#states.of(held)
    return state === 'running' || state === 'ended' ? this.#states.ranMs(held) : undefined
  }

  /** Sends calls, at most `room` of them, in one message. */
  assign(calls: readonly PoolCall[]): void {
    const bytes = new Uint8Array(calls.reduce((sum, { call }) => sum + call.bytes.length, 0))
    let byteOffset = 0
    const messages = calls.map((call): CallMessage => {
      const { handler, bytes: eventBytes, context } = call.call
      const place = this.#freePlaces.pop() as number
      this.#lastId = this.#lastId === MAX_CALL_ID ? 1 : this.#lastId + 1
      const id = this.#lastId
      const held: Held = { id, place, call, steps: undefined, isAborted: 'no' }
      this.#states.waits(held)
      this.#held.set(id, held)
      this.#unbegun.push(held)
      call.assigned(this, id)
      bytes.set(eventBytes, byteOffset)
      const message = { id, place, handler, byteOffset, byteLength: eventBytes.length }
      byteOffset += eventBytes.length
      return { ...message, context: plainContext(context) }
    })
    this.#post({ kind: 'calls', calls: JSON.stringify(messages), bytes: bytes.buffer }, [bytes.buffer])
  }

  /** Takes calls back that have not begun: all that `which` says yes to. */
  takeBack(which: (call: PoolCall) => boolean = () => true): PoolCall[] {
    const back = this.#unbegun.filter((held) => which(held.call) && this.#states.revoke(held))
    for (const held of back) this.#handBack(held)
    return back.map(({ call }) => call)
  }

  abort(id: number, reason: Error): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    held.isAborted = 'asked'
    this.#post({ kind: 'abort', id, reason: toWire(reason) })
  }

  /** A thread that has seen the abort is alive: one handler does not come back. One that has not is stuck: it is ended. */
  abandon(id: number): void {
    const held = this.#held.get(id)
    if (held?.isAborted !== 'asked') return
    this.#death ??= new Error('a handler kept the thread busy past its timeout')
    void this.end()
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #onMessage(message: Exclude<FromThread, { kind: 'ready' | 'not-ready' }>): void {
    switch (message.kind) {
      case 'begun':
        this.#options.onRoom([])
        break
      case 'results':
        this.#onResults(message.results)
        break
      default:
        this.#onRequest(message)
    }
  }

  #onResults(results: readonly CallResult[]): void {
    for (const { id, answer, ranMs } of results) {
      const held = this.#held.get(id)
      if (held === undefined) continue
      this.#release(held)
      held.call.settle(answer, ranMs)
    }
    this.#options.onRoom(results.map(({ busyMs }) => busyMs))
  }

  #onRequest(
    message: Extract<FromThread, { kind: 'aborted' | 'step' | 'step-ran' | 'append' | 'send' }>,
  ): void {
    const held = this.#held.get(message.id)
    // A handler may go on after its end: nobody listens to it any more.
    if (held === undefined) return
    if (message.kind === 'aborted') held.isAborted = 'seen'
    else if (message.kind === 'step-ran') settleStep(held, message.request, message.answer)
    else void this.#serve(held, message)
  }

  /** Does for a handler what needs storage. */
  async #serve(
    held: Held,
    message: Extract<FromThread, { kind: 'step' | 'append' | 'send' }>,
  ): Promise<void> {
    const { id, request } = message
    let answer: Answer
    try {
      const value = await this.#do(held, message)
      answer = { ok: true, value: JSON.stringify({ value }) }
    } catch (error) {
      answer = { ok: false, error: toWire(error) }
    }
    this.#post({ kind: 'answer', id, request, answer })
  }

  #do(held: Held, message: Extract<FromThread, { kind: 'step' | 'append' | 'send' }>): Promise<unknown> {
    const { context } = held.call.call
    switch (message.kind) {
      case 'append':
        return context.append(message.stream, JSON.parse(message.events) as NewEvent[])
      case 'send':
        return context.send(message.queue, JSON.parse(message.messages) as NewMessage[])
      case 'step':
        return context.step(message.name, () => this.#runStep(held, message.id, message.request))
    }
  }

  #runStep(held: Held, id: number, request: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      held.steps ??= new Map()
      held.steps.set(request, { resolve, reject })
      this.#post({ kind: 'run', id, request })
    })
  }

  #onExit(reason: Error): void {
    this.#isReady = false
    const held = [...this.#held.values()]
    const error = new HandlerThreadError(reason)
    for (const { steps } of held) for (const { reject } of steps?.values() ?? []) reject(error)
    const running = held.filter((one) => this.#states.of(one) === 'running')
    // What had ended and was not told yet was not what killed the thread: it runs again, like what had not begun.
    const others = held.filter((one) => !running.includes(one))
    for (const { id, call } of running) {
      call.fail(error)
      this.#held.delete(id)
    }
    for (const one of others) this.#handBack(one)
    this.#options.onExit(
      reason,
      others.map(({ call }) => call),
      running.length,
    )
  }

  #handBack(held: Held): void {
    this.#release(held)
    held.call.takenBack()
  }

  #release({ id, place }: Held): void {
    this.#held.delete(id)
    this.#freePlaces.push(place)
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

/** The process's own flags, but for the condition that would lead a thread to TypeScript sources, which Node 20 cannot load. */
function execArgv(): string[] {
  return process.execArgv.filter(
    (flag, index, flags) =>
      !flag.includes('@eddy/source') && !(flag === '--conditions' && flags[index + 1] === '@eddy/source'),
  )
}

function settleStep(held: Held, request: number, answer: Answer): void {
  const step = held.steps?.get(request)
  held.steps?.delete(request)
  if (answer.ok) step?.resolve((JSON.parse(answer.value as string) as { value: unknown }).value)
  else step?.reject(fromWire(answer.error))
}

function plainContext(context: CallContext): CallContext {
  return {
    subscription: context.subscription,
    stream: context.stream,
    shardId: context.shardId,
    sequenceNumber: context.sequenceNumber,
    subSequenceNumber: context.subSequenceNumber,
    position: context.position,
    eventId: context.eventId,
    key: context.key,
    arrivedAtMs: context.arrivedAtMs,
    attempt: context.attempt,
    path: context.path,
    outOfOrder: context.outOfOrder,
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
