import {
  type Clock,
  type Log,
  type Logger,
  ShardNotFoundError,
  ShardStateError,
  StreamNotFoundError,
} from '@eddy/core'
import { isOpen } from './find-stream.ts'
import type { StreamBook } from './stream-book.ts'
import { isUnderWay, type PlannedChange, type StreamChange, type StreamNotes } from './stream-notes.ts'
import { nextScalingStep } from './uniform-scaling.ts'

export interface StreamChangesOptions {
  readonly log: Log
  readonly clock: Clock
  readonly book: StreamBook
  readonly logger: Logger
  readonly streamsChanged: () => Promise<void>
  /** How long a stream is CREATING, UPDATING or DELETING; 0: each change is done when its request is answered. */
  readonly stateMs: number
}

const RETRY_MS = 1_000

/**
 * Does what a stream's notes say is to be done, when its time has come. The notes are written first, and forgotten when
 * it is done: whatever a crash interrupts is done after the next start. Doing a part of it again does no harm.
 */
export class StreamChanges {
  readonly #options: StreamChangesOptions
  readonly #closing = new AbortController()
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(options: StreamChangesOptions) {
    this.#options = options
  }

  /** The change with its times, for `begin`. */
  timed(change: PlannedChange): StreamChange {
    const sinceMs = this.#options.clock.now()
    return { ...change, sinceMs, untilMs: sinceMs + this.#options.stateMs } as StreamChange
  }

  /** Writes the notes with the change, which is then done in its time. Resolves when the notes are durable. */
  async begin(name: string, notes: StreamNotes, planned: PlannedChange): Promise<void> {
    const change = this.timed(planned)
    await this.#options.book.write(name, { ...notes, change })
    const done = this.#start(name, change)
    if (this.#options.stateMs === 0) await done
  }

  /** After a start: goes on with everything that is under way. */
  async resume(): Promise<void> {
    const { book, log } = this.#options
    const streams = new Map((await log.listStreams()).map((stream) => [stream.name, stream]))
    for (const name of book.names()) {
      const notes = book.stored(name) as StreamNotes
      const stream = streams.get(name)
      if (stream === undefined || (notes.streamId !== undefined && notes.streamId !== stream.streamId)) {
        // Deleted, or never made: its creation was not answered.
        await book.remove(name)
        continue
      }
      const adopted = { ...notes, streamId: stream.streamId }
      if (notes.streamId === undefined) await book.write(name, adopted)
      if (adopted.change !== undefined) void this.#start(name, adopted.change)
    }
  }

  /** Ends what waits; it goes on after the next start. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#underWay.values())
  }

  #start(name: string, change: StreamChange): Promise<void> {
    const running = this.#run(name, change).finally(() => {
      if (this.#underWay.get(name) === running) this.#underWay.delete(name)
    })
    this.#underWay.set(name, running)
    return running
  }

  async #run(name: string, change: StreamChange): Promise<void> {
    // These end by time alone.
    if (change.kind === 'create' || change.kind === 'update') return
    const { clock, logger } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted && isUnderWay(change, clock.now()))
      await clock.sleep(change.untilMs - clock.now(), signal)
    while (!signal.aborted) {
      try {
        await this.#perform(name, change)
        return
      } catch (error) {
        // A storage that fails for a while delays the change, and the stream stays in its state (I9).
        logger.warn(
          { stream: name, change: change.kind, error },
          'the change of a stream failed; trying again',
        )
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }

  async #perform(name: string, change: StreamChange): Promise<void> {
    const { log, book, streamsChanged } = this.#options
    const notes = book.stored(name)
    if (notes?.change !== change && notes?.change?.sinceMs !== change.sinceMs) return
    if (!(await this.#isSameStream(name, notes))) return await book.remove(name)
    switch (change.kind) {
      case 'delete':
        await log.deleteStream(name)
        await book.remove(name)
        return await streamsChanged()
      case 'split':
        await unlessDone(log.split(name, change.shardId, change.newStartingHashKey))
        break
      case 'merge':
        await unlessDone(log.merge(name, change.shardId, change.adjacentShardId))
        break
      case 'scale':
        if (!(await this.#scale(name, change.targetShardCount))) return
        break
      case 'create':
      case 'update':
        break
    }
    const { change: _done, ...rest } = notes
    await book.write(name, rest)
    await streamsChanged()
  }

  /** Somebody may have deleted it meanwhile, and created another one of its name. */
  async #isSameStream(name: string, notes: StreamNotes): Promise<boolean> {
    try {
      return (await this.#options.log.describeStream(name)).streamId === notes.streamId
    } catch (error) {
      if (error instanceof StreamNotFoundError) return false
      throw error
    }
  }

  /** False: the process stops, and the next one goes on. */
  async #scale(name: string, targetShardCount: number): Promise<boolean> {
    const { log, streamsChanged } = this.#options
    while (!this.#closing.signal.aborted) {
      const step = nextScalingStep((await log.listShards(name)).filter(isOpen), targetShardCount)
      if (step === undefined) return true
      if (step.kind === 'merge') await log.merge(name, step.shardId, step.adjacentShardId)
      else await log.split(name, step.shardId, step.newStartingHashKey)
      await streamsChanged()
    }
    return false
  }
}

/** A shard that is closed by now, or even gone, was split or merged before a crash, by this very change. */
async function unlessDone(change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!(error instanceof ShardStateError || error instanceof ShardNotFoundError)) throw error
  }
}
