import { SubscriptionNotFoundError } from '../errors/request-errors.ts'
import { keys } from '../fail/keys.ts'
import type { From } from '../model/app.ts'
import type { Position } from '../model/position.ts'
import type { Engine } from '../ports/engine.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import type { SeekTarget } from '../runtime/subscription-control.ts'
import { Checkpoints } from './checkpoint.ts'
import { checkpointAt, placeIn, targetOf } from './placement.ts'

/** What is kept of a subscription beside its checkpoints. */
interface State {
  readonly [name: string]:
    | boolean
    | number
    | string
    | { readonly [name: string]: string | number }
    | undefined
  readonly createdAtMs: number
  readonly streamId: string
  /** Raised by every seek, and when the stream was created anew: all positions of a pass come after those before. */
  readonly pass: number
  readonly isPaused: boolean
  readonly pausedBy?: string
  /** Of a queue: messages up to here were removed by a person. */
  readonly purgedUpTo?: Position
  /** How often a person closed the breaker: every worker has one. */
  readonly breakerResets?: number
  /** A seek that is being carried out; a start that finds one finishes it. */
  readonly seek?: { readonly [name: string]: string | number }
}

export type SubscriptionState = Pick<
  State,
  'pass' | 'isPaused' | 'pausedBy' | 'purgedUpTo' | 'breakerResets' | 'seek'
>

/**
 * Where a subscription begins in each shard of its stream: at its first start, after a seek, and when the stream was
 * deleted and created anew.
 *
 * P1 A new pass is one of all shards, also of those that go on where they were: a key moves from parent to child, and
 * its positions must go on growing (I3). P2 The wish is stored first, then the places, and each place once: a crash in
 * between is finished by the next start.
 */
export class SubscriptionPlacement {
  readonly #engine: Engine
  readonly #subscription: string
  readonly #nextEpoch: () => Promise<number>
  readonly #checkpoints: Checkpoints

  /** @param nextEpoch - what no reading that began before can write over */
  constructor(engine: Engine, subscription: string, nextEpoch: () => Promise<number>) {
    this.#engine = engine
    this.#subscription = subscription
    this.#nextEpoch = nextEpoch
    this.#checkpoints = new Checkpoints(engine.table, subscription)
  }

  async current(): Promise<SubscriptionState> {
    return (await this.#require()).value
  }

  async change(change: Pick<State, 'isPaused' | 'pausedBy'>): Promise<void> {
    await this.#update(({ pausedBy: _pausedBy, ...rest }) => ({ ...rest, ...change }) as State)
  }

  /** Tells every worker that a person closed the breaker. @returns how often by now */
  async breakerReset(): Promise<number> {
    await this.#update((state) => ({ ...state, breakerResets: (state.breakerResets ?? 0) + 1 }))
    return (await this.current()).breakerResets ?? 0
  }

  /** Notes that messages up to here are removed from the subscription's queue: before they are. */
  async purged(position: Position): Promise<void> {
    await this.#update((state) => ({ ...state, purgedUpTo: position }))
  }

  /**
   * A subscription of a queue has no place in it, and of one that functions are invoked for, the service keeps the
   * place. What it read of something else is of an earlier pass.
   */
  async beginUnplaced(source: string): Promise<SubscriptionState> {
    const stored = await this.#load()
    if (stored?.value.streamId === source) return stored.value
    const pass = stored === undefined ? 0 : stored.value.pass + 1
    const { seek: _seek, ...known } = stored?.value ?? {
      createdAtMs: this.#engine.clock.now(),
      isPaused: false,
    }
    const fresh = { ...known, streamId: source, pass } as State
    await this.#putFresh(fresh, stored?.version)
    return await this.current()
  }

  /** Places a new subscription, or finds a known one as it was left. */
  async begin(stream: StreamInfo, from: From): Promise<SubscriptionState> {
    const known = await this.#load()
    const stored = known?.value
    if (stored === undefined || stored.streamId !== stream.streamId) {
      // Positions of a former stream must not stand in the way of the new one's.
      const pass = stored === undefined ? 0 : stored.pass + 1
      const seek = wishOf(targetOf(from), undefined)
      const fresh = {
        createdAtMs: this.#engine.clock.now(),
        isPaused: false,
        ...stored,
        streamId: stream.streamId,
        pass,
        seek,
      }
      await this.#putFresh(fresh, known?.version)
    }
    const { seek } = (await this.#require()).value
    if (seek !== undefined) await this.#carryOut(stream, seek)
    return await this.current()
  }

  /** Begins a new pass: from `to` in one shard or all of them, in the others where they were. */
  async seek(stream: StreamInfo, to: SeekTarget, shardId: string | undefined): Promise<void> {
    const seek = wishOf(to, shardId)
    await this.#update((state) => ({ ...state, pass: state.pass + 1, seek }))
    await this.#carryOut(stream, seek)
  }

  async #carryOut(stream: StreamInfo, seek: Readonly<Record<string, string | number>>): Promise<void> {
    const { pass } = await this.current()
    for (const shard of await this.#engine.log.listShards(stream.name))
      while (!(await this.#place(stream, shard, seek, pass))) {
        // Somebody else placed it, or saved late: what stands there decides.
      }
    // Another worker may have carried it out as well, and a later seek may have come since.
    await this.#update((state) => {
      const { seek: _seek, ...rest } = state
      return state.pass === pass ? (rest as State) : state
    })
  }

  /** Refused: another worker was first, or our own answer was lost. What stands there counts. */
  async #putFresh(fresh: State, version: number | undefined): Promise<void> {
    const item = { ...keys.subscription(this.#subscription), value: fresh }
    await this.#engine.table.put<State>(item, version ?? 'absent')
  }

  async #place(
    stream: StreamInfo,
    shard: ShardInfo,
    seek: Readonly<Record<string, string | number>>,
    pass: number,
  ): Promise<boolean> {
    const { shardId } = shard
    const known = await this.#checkpoints.load(shardId)
    const isOfStream = known?.checkpoint.streamId === stream.streamId
    if (isOfStream && known.checkpoint.pass >= pass) return true
    const nowMs = this.#engine.clock.now()
    const epoch = await this.#nextEpoch()
    if (seek.shardId !== undefined && seek.shardId !== shardId) {
      const kept = isOfStream
        ? known.checkpoint
        : checkpointAt({ from: { at: 'trim_horizon' }, ended: false }, stream, pass, epoch, nowMs)
      return await this.#checkpoints.place(shardId, known, { ...kept, pass, epoch, savedAtMs: nowMs })
    }
    const place = await placeIn(this.#engine.log, stream, shard, targetIn(seek))
    return await this.#checkpoints.place(shardId, known, checkpointAt(place, stream, pass, epoch, nowMs))
  }

  async #update(change: (state: State) => State): Promise<void> {
    for (;;) {
      const stored = await this.#require()
      const written = await this.#engine.table.put<State>(
        { ...keys.subscription(this.#subscription), value: change(stored.value) },
        stored.version,
      )
      if (written.ok) return
    }
  }

  async #require(): Promise<{ readonly value: State; readonly version: number }> {
    const stored = await this.#load()
    if (stored === undefined) throw new SubscriptionNotFoundError(this.#subscription)
    return stored
  }

  async #load(): Promise<{ readonly value: State; readonly version: number } | undefined> {
    return await this.#engine.table.get<State>(keys.subscription(this.#subscription))
  }
}

function wishOf(to: SeekTarget, shardId: string | undefined): Readonly<Record<string, string | number>> {
  return { ...to, ...(shardId !== undefined && { shardId }) }
}

function targetIn(wish: Readonly<Record<string, string | number>>): SeekTarget {
  const { shardId: _shardId, ...target } = wish
  return target as unknown as SeekTarget
}
