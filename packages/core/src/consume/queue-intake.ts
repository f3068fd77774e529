import { laneName } from '../fail/lane.ts'
import type { LastStop } from '../lease/owner.ts'
import type { Reading } from '../lease/reading.ts'
import type { Position } from '../model/position.ts'
import type { Delivery } from '../ports/queue.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { tellStopped } from '../runtime/tell-stopped.ts'
import { ChangeSignal } from './change-signal.ts'
import { MAX_STORING } from './intake-limits.ts'
import { enoughReady, liveLanes } from './live-lanes.ts'
import type { LivePath } from './live-path.ts'
import { hasTimeLeft, type LiveTask } from './live-task.ts'
import { hiddenMs } from './message-hiding.ts'
import { messageMeta, QUEUE_SHARD } from './message-meta.ts'
import { QueueAcks } from './queue-acks.ts'
import { QueueProgress } from './queue-progress.ts'
import type { TaskLanes } from './task-lanes.ts'
import type { OwnedTask, TaskOwner } from './task-owner.ts'

export interface QueueIntakeOptions {
  /** In the port. */
  readonly queueName: string
  readonly pass: number
  readonly lastStop: LastStop
  readonly reading: Reading
  readonly purgedUpTo: Position | undefined
}

/** A message that was received and is not acknowledged. */
export interface QueueTask extends OwnedTask {
  readonly messageId: string
  readonly task: LiveTask & { deadlineMs: number }
  readonly isSuspect: boolean
  receipt: string
  /** `left`: given back before its turn came. */
  state: 'waiting' | 'running' | 'done' | 'left'
}

const RECEIVE_WAIT_MS = 20_000
const LOOK_FOR_SUSPECTS_MS = 250
const MAX_RECEIVE = 256
/** Receiving one by one would cost a call for each. */
const MIN_RECEIVE = 32
const LOOK_EVERY_MS = 30_000
const MAX_ERROR_WAIT_MS = 5_000

const encoder = new TextEncoder()

/**
 * The live path of one subscription over its queue, from one start to one stop.
 *
 * A message is acknowledged once it is resolved, or in the failure ledger with its payload (I2); until then it comes
 * again, and is known when it does. Of a group the queue hands out one message at a time, the next one after the ack
 * (I3). Received and not acknowledged are at most `maxBufferedRecords` messages, and not much more than
 * `maxBufferedBytes` (I6).
 */
export class QueueIntake implements TaskOwner<QueueTask> {
  readonly #parts: SubscriptionParts
  readonly #options: QueueIntakeOptions
  readonly #lanes: TaskLanes<QueueTask>
  readonly #acks: QueueAcks<QueueTask>
  readonly #progress: QueueProgress
  readonly #changed = new ChangeSignal()
  readonly #stop = new AbortController()
  readonly #underWay = new Map<string, QueueTask>()
  readonly #positions = new Set<Position>()
  readonly #givingBack = new Set<Promise<void>>()
  /** What was sent before may have been handled, or be in the ledger. */
  readonly #startedAtMs: number
  #receiving = new AbortController()
  #loops: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #running = 0
  #bytes = 0
  /** Messages that may have been under way at the last death and are still to come. */
  #suspectsToCome: number
  #suspects = 0
  #state: 'reading' | 'stopped' = 'reading'

  constructor(parts: SubscriptionParts, options: QueueIntakeOptions, livePath: LivePath) {
    this.#parts = parts
    this.#options = options
    this.#lanes = liveLanes<QueueTask>(parts, livePath, this, true)
    const { engine, logger, stopping } = parts
    const ports = { queue: engine.queue, clock: engine.clock, logger }
    this.#acks = new QueueAcks(ports, options.queueName, stopping, (entry) => this.#gone(entry))
    this.#progress = new QueueProgress(options.purgedUpTo, (position) => this.#positions.has(position))
    this.#startedAtMs = engine.clock.now()
    // The queue hands out the oldest first: what was under way is among these.
    this.#suspectsToCome =
      options.lastStop === 'clean'
        ? 0
        : enoughReady(parts) + MAX_STORING + parts.definition.maxBufferedRecords
    parts.pause.onChange(() => this.#onPause())
  }

  /** `stopped`: after an error that no repetition can mend. */
  get state(): 'recovering' | 'reading' | 'stopped' {
    return this.#state === 'reading' && !this.isRecovered ? 'recovering' : this.#state
  }

  /** True once no message is left that may have been running at the last death. */
  get isRecovered(): boolean {
    return (this.#suspectsToCome === 0 && this.#suspects === 0) || this.#state === 'stopped'
  }

  /** Received, not yet acknowledged. */
  get buffered(): number {
    return this.#underWay.size
  }

  /** The latest message that was taken in, in this life of the process. */
  get latest(): Position | undefined {
    return this.#progress.latest
  }

  start(): void {
    this.#loops = Promise.all([this.#receiveAll(), this.#look()])
  }

  /** True: no message at this position is to come (again). */
  hasPassed(position: Position): boolean {
    return this.#progress.hasPassed(position)
  }

  /** Messages up to here were removed by a person. */
  purged(position: Position): void {
    this.#progress.purged(position)
  }

  /** Takes nothing more in and starts no more handlers; what runs goes on, what waits is given back. */
  close(): void {
    this.#stop.abort()
    this.#receiving.abort()
    this.#lanes.close()
    this.#changed.notify()
    this.#giveBackWaiting()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#loops
    while (this.#running > 0) await this.#changed.next()
    await this.#acks.idle()
    while (this.#givingBack.size > 0) await Promise.all(this.#givingBack)
  }

  async #receiveAll(): Promise<void> {
    const { engine, logger, stopping, pause, definition } = this.#parts
    let errorWaitMs = 0
    while (!this.#stop.signal.aborted) {
      if (pause.isPaused) {
        await Promise.race([pause.wait(), this.#changed.next()])
        continue
      }
      const room = this.#room()
      const isWorthIt = room >= Math.min(MIN_RECEIVE, Math.ceil(definition.maxBufferedRecords / 2))
      if (!isWorthIt && this.#underWay.size > 0) {
        await this.#changed.next()
        continue
      }
      try {
        await this.#receive(Math.max(1, room))
        errorWaitMs = 0
      } catch (error) {
        errorWaitMs = Math.min(MAX_ERROR_WAIT_MS, errorWaitMs * 2 + 50)
        logger.warn({ reason: String(error), waitMs: errorWaitMs }, 'a queue was not read and is tried again')
        await engine.clock.sleep(errorWaitMs, AbortSignal.any([stopping, this.#stop.signal]))
      }
    }
  }

  /** More messages that may be taken in: enough that handlers find one, few enough that they come to their turn soon. */
  #room(): number {
    const { definition } = this.#parts
    if (this.#bytes >= definition.maxBufferedBytes) return 0
    return Math.min(
      MAX_RECEIVE,
      definition.maxBufferedRecords - this.#underWay.size,
      enoughReady(this.#parts) - this.#waiting,
    )
  }

  async #receive(maxMessages: number): Promise<void> {
    const { engine, runner, definition } = this.#parts
    this.#receiving = new AbortController()
    // Some of it passes while a batch fills.
    const visibilityMs = hiddenMs(runner.longestCallMs, definition.batch?.maxWaitMs)
    const receivedMs = engine.clock.monotonicMs()
    const deliveries = await engine.queue.receive({
      queue: this.#options.queueName,
      maxMessages,
      visibilityMs,
      waitMs: this.#suspectsToCome > 0 ? LOOK_FOR_SUSPECTS_MS : RECEIVE_WAIT_MS,
      signal: this.#receiving.signal,
    })
    // The wait counts against the deadline only on the safe side: a delivery is younger than its receive call.
    const deadlineMs = Math.max(receivedMs, engine.clock.monotonicMs() - 1_000) + visibilityMs
    if (deliveries.length === 0 && this.#suspectsToCome > 0) await this.#endOfSuspects()
    for (const delivery of deliveries) this.#admit(delivery, deadlineMs)
    // Paused, or stopped, while they were on their way.
    if (this.#parts.pause.isPaused || this.#stop.signal.aborted) this.#giveBackWaiting()
  }

  /** Nothing is due: there are no more, unless some are hidden still, since a dead process received them. */
  async #endOfSuspects(): Promise<void> {
    const { inFlight } = await this.#parts.engine.queue.stats(this.#options.queueName)
    if (inFlight <= this.#underWay.size) this.#suspectsToCome = 0
  }

  #admit(delivery: Delivery, deadlineMs: number): void {
    const known = this.#underWay.get(delivery.messageId)
    if (known !== undefined) {
      // Its visibility passed before it was done: it is handled once, and acknowledged by its latest receipt.
      known.receipt = delivery.receipt
      known.task.deadlineMs = deadlineMs
      return
    }
    const entry = this.#newTask(delivery, deadlineMs)
    this.#underWay.set(entry.messageId, entry)
    this.#positions.add(entry.task.meta.position)
    this.#progress.taken(entry.task.meta.position)
    this.#bytes += entry.task.bytes.length
    this.#waiting += 1
    this.#lanes.add(laneName(entry.task.meta), entry)
  }

  #newTask(delivery: Delivery, deadlineMs: number): QueueTask {
    const { lastStop, pass, reading } = this.#options
    const { sentAtMs, messageId, receipt, receiveCount } = delivery
    const bytes = encoder.encode(delivery.body)
    const isSuspect = this.#suspectsToCome > 0
    if (isSuspect) {
      this.#suspectsToCome -= 1
      this.#suspects += 1
    }
    const task = {
      meta: messageMeta(this.#parts.definition.stream, pass, delivery, bytes),
      bytes,
      isSharded: false,
      isReplay: isSuspect || receiveCount > 1 || sentAtMs <= this.#startedAtMs,
      ...(isSuspect && lastStop === 'looping' && { marker: this.#parts.crashMarker }),
      reading,
      stop: this.#stop.signal,
      deadlineMs,
    }
    return { messageId, task, isSuspect, receipt, state: 'waiting' }
  }

  /** Its turn has come. */
  begin(entry: QueueTask): boolean {
    if (entry.state !== 'waiting') return false
    this.#waiting -= 1
    const { engine, runner } = this.#parts
    if (!hasTimeLeft(entry.task, engine.clock, runner.longestCallMs)) {
      this.#giveBack(entry)
      return false
    }
    entry.state = 'running'
    this.#running += 1
    return true
  }

  done(entry: QueueTask): void {
    entry.state = 'done'
    this.#acks.add(entry)
    this.#ended()
  }

  failed(entry: QueueTask, error: unknown): void {
    this.#giveBack(entry)
    this.#ended()
    if (!(error instanceof Stopped)) this.#fail(error)
  }

  putBack(entry: QueueTask): void {
    entry.state = 'waiting'
    this.#waiting += 1
    this.#ended()
    if (this.#parts.pause.isPaused || this.#stop.signal.aborted) this.#giveBackWaiting()
  }

  #ended(): void {
    this.#running -= 1
    this.#changed.notify()
  }

  #gone(entry: QueueTask): void {
    if (!this.#underWay.delete(entry.messageId)) return
    this.#positions.delete(entry.task.meta.position)
    this.#bytes -= entry.task.bytes.length
    if (entry.isSuspect) this.#suspects -= 1
    this.#changed.notify()
  }

  #onPause(): void {
    this.#receiving.abort()
    this.#changed.notify()
    if (this.#parts.pause.isPaused) this.#giveBackWaiting()
    else this.#lanes.pump()
  }

  #giveBackWaiting(): void {
    for (const entry of [...this.#underWay.values()]) {
      if (entry.state !== 'waiting') continue
      this.#waiting -= 1
      this.#giveBack(entry)
    }
  }

  /** It comes again at once, here or in the next process. */
  #giveBack(entry: QueueTask): void {
    const { engine, logger } = this.#parts
    entry.state = 'left'
    // A suspect that is given back is one again when it comes.
    if (entry.isSuspect) this.#suspectsToCome += 1
    this.#gone(entry)
    this.#progress.givenBack()
    const giving: Promise<void> = engine.queue
      .delay(this.#options.queueName, entry.receipt, 0)
      .catch((error: unknown) => {
        logger.warn({ messageId: entry.messageId, reason: String(error) }, 'a message comes again later')
      })
      .finally(() => this.#givingBack.delete(giving))
    this.#givingBack.add(giving)
  }

  /** Tells from time to time which messages are gone for good: holds that nobody can need any more are removed then. */
  async #look(): Promise<void> {
    const { engine, policy, logger } = this.#parts
    while (!this.#stop.signal.aborted) {
      await engine.clock.sleep(LOOK_EVERY_MS, this.#stop.signal)
      if (this.#stop.signal.aborted || policy.failure.blocks === 'nothing') continue
      const nowMs = engine.clock.now()
      try {
        const stats = await engine.queue.stats(this.#options.queueName)
        this.#progress.look(nowMs, stats.noneDueBeforeMs ?? stats.oldestDueAtMs)
      } catch (error) {
        logger.warn({ reason: String(error) }, 'a queue was not looked at and is in the next round')
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.close()
    tellStopped(this.#parts, [QUEUE_SHARD], error)
  }
}
