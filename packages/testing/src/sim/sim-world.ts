import { isEddyError, ShardBudgets } from '@eddy/core'
import { Prng } from '../clock/prng.ts'
import { VirtualClock } from '../clock/virtual-clock.ts'
import { CallTrace, type MutableCall, type PortCall, type PortOp } from './call-trace.ts'
import { type FaultCounts, FaultDice } from './fault-dice.ts'
import { type FaultPlan, type MsRange, quietFaults } from './fault-plan.ts'
import { type SimEngine, simEngine } from './process/sim-engine.ts'
import { type PendingCall, SimProcess } from './process/sim-process.ts'
import { SimStore } from './sim-store.ts'
import { WaitRoom } from './wait-room.ts'

export interface SimWorldOptions {
  readonly seed: number | string
  /** Wall time at the start, epoch milliseconds. */
  readonly startMs?: number
  /** Default `quietFaults`. */
  readonly faults?: FaultPlan
  /** Timers of one due time fire in a seeded order; default true. */
  readonly shuffleTies?: boolean
  /** Largest `AppendEntry.data`; default 10 MiB. */
  readonly maxRecordBytes?: number
  /** Port calls kept for `trace`; default 2,000. */
  readonly traceLength?: number
  /** Sees every port call before it has any effect. May call `crash()`. */
  readonly onCall?: (call: PortCall) => void
  readonly onCrash?: () => void
}

const DEFAULT_MAX_RECORD_BYTES = 10 * 1_024 * 1_024
const DEFAULT_TRACE_LENGTH = 2_000

/**
 * A world for one run: what is stored, the clock, chance and faults. `boot` starts a process on it, `crash` ends it.
 * Everything that happens follows from the seed and from what the process does.
 *
 * A crash leaves every pending port call and sleep of the process unsettled for ever, and each pending write takes
 * effect, or does not, or does so later, after the next boot.
 */
export class SimWorld {
  readonly clock: VirtualClock
  readonly store: SimStore = new SimStore()
  /** What is left of each shard's limits, whoever uses it: the service's, not a process's. */
  readonly budgets: ShardBudgets = new ShardBudgets()
  readonly trace: CallTrace
  readonly dice: FaultDice
  readonly waitRoom: WaitRoom = new WaitRoom()
  readonly maxRecordBytes: number
  onCall: ((call: PortCall) => void) | undefined
  onCrash: (() => void) | undefined
  readonly #processes = new Set<SimProcess>()
  #bootCount = 0
  #callCount = 0
  #crashAtCall: number | undefined
  #lateWrites: { readonly write: () => void; readonly afterMs: number }[] = []

  constructor(options: SimWorldOptions) {
    const { seed, startMs } = options
    const shuffleTies = options.shuffleTies ?? true
    this.clock = new VirtualClock({ seed, shuffleTies, ...(startMs !== undefined && { startMs }) })
    this.dice = new FaultDice(options.faults ?? quietFaults, new Prng(seed).fork('faults'))
    this.trace = new CallTrace(options.traceLength ?? DEFAULT_TRACE_LENGTH)
    this.maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES
    this.onCall = options.onCall
    this.onCrash = options.onCrash
  }

  get faults(): FaultPlan {
    return this.dice.plan
  }

  /** Faults from now on; `quietFaults` lets the system come to rest. */
  set faults(plan: FaultPlan) {
    this.dice.plan = plan
  }

  /** How often each fault struck so far. */
  get counts(): FaultCounts {
    return this.dice.counts
  }

  /** Port calls made so far, by all processes. */
  get callCount(): number {
    return this.#callCount
  }

  /** Processes that are running. */
  get runningCount(): number {
    return this.#processes.size
  }

  /** Starts a process. Late writes of crashed ones are on their way from now. */
  boot(): SimEngine {
    this.#bootCount += 1
    const process = new SimProcess(this, this.#bootCount)
    this.#processes.add(process)
    const arriving = this.#lateWrites
    this.#lateWrites = []
    for (const { write, afterMs } of arriving) this.#arriveLate(write, afterMs)
    return simEngine(process)
  }

  /** Ends one process, or all that run, without a word. */
  crash(engine?: SimEngine): void {
    const ending = [...this.#processes].filter(
      (process) => engine === undefined || process.id === engine.processId,
    )
    if (ending.length === 0) return
    this.counts.crash += 1
    for (const process of ending) this.#processes.delete(process)
    this.#end(ending)
    this.onCrash?.()
  }

  /**
   * The process is taken for dead, but is only slow: the next one may boot, and this one's calls go on taking effect,
   * `slowMs` later than others', until it ends for good after `ms`. Everybody is told of a crash now.
   */
  linger(engine: SimEngine, ms: number, slowMs: MsRange): void {
    const process = [...this.#processes].find(({ id }) => id === engine.processId)
    if (process === undefined) return
    this.#processes.delete(process)
    this.counts.lingered += 1
    process.slowMs = slowMs
    this.clock.setTimer(ms, () => this.#end([process]))
    this.onCrash?.()
  }

  /** The process does nothing for so long, and then goes on as if nothing had been. */
  stall(engine: SimEngine, ms: number): void {
    for (const process of this.#processes) if (process.id === engine.processId) process.stall(ms)
  }

  /** Crashes everything that runs when the nth port call is made; counted over all processes, from 1. */
  crashAtCall(number: number): void {
    this.#crashAtCall = number
  }

  /** Crashes everything that runs after this much virtual time; returns what calls it off. */
  crashAfter(ms: number): () => void {
    return this.clock.setTimer(ms, () => this.crash())
  }

  /** Forgets a process that closed. */
  left(process: SimProcess): void {
    this.#processes.delete(process)
  }

  /** Notes a port call. The world may end the calling process here. */
  begin(process: SimProcess, pending: PendingCall, op: PortOp, args: readonly unknown[]): MutableCall {
    this.#callCount += 1
    const call: MutableCall = {
      number: this.#callCount,
      atMs: this.clock.monotonicMs(),
      processId: process.id,
      op,
      args,
      outcome: 'pending',
      endedAtMs: undefined,
    }
    pending.call = call
    this.trace.add(call)
    this.onCall?.(call)
    if (this.#crashAtCall === this.#callCount) {
      this.#crashAtCall = undefined
      this.crash()
    }
    return call
  }

  #end(ending: readonly SimProcess[]): void {
    let lateWrites = 0
    for (const call of ending.flatMap((process) => process.end())) {
      if (call.crashEffect === undefined || call.tookEffect) continue
      if (this.#decide(call.crashEffect, lateWrites < this.faults.crash.maxLateWrites)) lateWrites += 1
    }
  }

  /** What becomes of a write that was under way. True: it is late. */
  #decide(effect: () => void, mayBeLate: boolean): boolean {
    const { tookEffectShare, lateShare } = this.faults.crash
    const drawn = this.dice.prng.next()
    if (drawn < tookEffectShare) {
      this.counts.crashTookEffect += 1
      withoutAnswer(effect)
      return false
    }
    if (drawn < tookEffectShare + lateShare && mayBeLate) {
      this.counts.crashLateWrite += 1
      this.#lateWrites.push({ write: effect, afterMs: this.dice.between(this.faults.crash.lateMs) })
      return true
    }
    this.counts.crashLostWrite += 1
    return false
  }

  #arriveLate(write: () => void, afterMs: number): void {
    this.clock.setTimer(afterMs, () => {
      this.counts.lateWriteArrived += 1
      withoutAnswer(write)
    })
  }
}

/** Nobody is there to learn of a refusal. */
function withoutAnswer(effect: () => void): void {
  try {
    effect()
  } catch (error) {
    if (!isEddyError(error)) throw error
  }
}
