import type { DeliveryResult } from '../handle/delivery.ts'
import type { Notice } from '../model/app.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { ProtectPolicy } from '../model/protect.ts'
import type { Logger } from '../observe/logger.ts'
import type { ProtectionStatus } from '../operate/subscription-shapes.ts'
import type { Clock } from '../ports/clock.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { type BreakerStore, toWall } from './breaker-store.ts'
import { handlerOutcome } from './handler-outcome.ts'
import { rampedLimit, rampedLimitAtMs, rampedRate, rampShare } from './ramp.ts'
import { type Limit, type StartKind, StartLimits } from './start-limits.ts'
import { StartTimer } from './start-timer.ts'

export interface ProtectionOptions {
  readonly subscription: string
  /** Read anew at every decision: it may change while the subscription runs. */
  readonly policy: Pick<SubscriptionPolicy, 'protect' | 'concurrency'>
  readonly clock: Clock
  readonly store: BreakerStore
  readonly logger: Logger
  readonly notify: (notice: Notice) => void
}

/** How long a retry has to wait, for whoever holds its token. */
export interface RetryWait {
  /** On the monotonic clock. */
  readonly untilMs: number
  /** Nothing can be hoped for before: the breaker is open, or the event has failed as a probe. */
  readonly isCertain: boolean
}

/**
 * Guards the downstream of one subscription: says of every call of the handler whether it may start now.
 *
 * A start is taken (`take`) together with its slot, by `Slots`, the one gate of first attempts and retries; it begins
 * (`begin`) right before the handler is called, and `ended` tells how it went. What is taken and not begun is given
 * back (`unused`). Without `protect` none of this decides anything.
 */
export class Protection {
  readonly #options: ProtectionOptions
  readonly #breaker = new Breaker()
  readonly #limits = new StartLimits()
  readonly #timer: StartTimer
  readonly #possible: (() => void)[] = []
  readonly #changed: (() => void)[] = []
  #waiting: (() => void)[] = []
  #known: ProtectPolicy | undefined
  #isActive = false
  #phase = 0
  /** When the breaker opened first, of openings that follow each other without a closing. */
  #openSinceMs: number | undefined
  readonly refused: Record<Limit, number> = { breaker: 0, rate: 0, 'retry-rate': 0, 'retry-budget': 0 }

  constructor(options: ProtectionOptions) {
    this.#options = options
    this.#timer = new StartTimer(options.clock, () => this.#startsMayBePossible())
  }

  /** False where nothing but `concurrency` protects. */
  get isActive(): boolean {
    if (this.#options.policy.protect !== this.#known) this.#look()
    return this.#isActive
  }

  /** Raised by every change of the breaker's state. */
  get phase(): number {
    return this.#phase
  }

  /** Called when what was refused may be possible now. */
  onPossible(listener: () => void): void {
    this.#possible.push(listener)
  }

  /** Called when the breaker's state has changed, or the policy. */
  onChange(listener: () => void): void {
    this.#changed.push(listener)
  }

  /** Goes on where the last process was. */
  async load(): Promise<void> {
    const { breaker } = this.#options.policy.protect
    this.#look()
    if (breaker === undefined) return
    const state = await this.#options.store.load(breaker)
    if (state === undefined) return
    this.#breaker.restore(state, breaker)
    if (state.kind === 'open') this.#openSinceMs = state.sinceMs
    this.#phase = this.#breaker.phase
  }

  /** Starts nothing more; whoever waits in `begun` looks whether to stop. */
  close(): void {
    this.#timer.close()
    this.#goOn()
  }

  /** The policy is another now: what waits may be possible. */
  policyChanged(): void {
    this.#look()
    this.#startsMayBePossible()
  }

  /** Closes the breaker by hand; full rate is reached by its ramp. @returns false when it was not open */
  closeBreaker(): boolean {
    const kind = this.breakerState()?.kind
    if (kind !== 'open' && kind !== 'probing') return false
    this.#breaker.close(this.#nowMs())
    this.#afterBreaker()
    this.#startsMayBePossible()
    return true
  }

  /**
   * True when one more handler may run beside those that do.
   * @param concurrency - the subscription's own limit
   * @param usedInPhase - of them, those that started in the breaker's present state
   */
  hasRoom(concurrency: number, used: number, usedInPhase: (phase: number) => number): boolean {
    if (used >= concurrency) return false
    const state = this.#isOff() ? undefined : this.breakerState()
    const breaker = this.#known?.breaker
    if (state === undefined || breaker === undefined) return true
    if (state.kind === 'probing') return usedInPhase(this.#phase) < breaker.probeConcurrency
    if (state.kind !== 'ramping') return true
    const share = rampShare(state.sinceMs, breaker.rampMs, this.#nowMs())
    if (used < rampedLimit(concurrency, breaker.probeConcurrency, share)) return true
    this.#timer.wakeAt(rampedLimitAtMs(state.sinceMs, breaker.rampMs, concurrency, used + 1))
    return false
  }

  /** Takes a start, if nothing refuses it. */
  take(kind: StartKind): boolean {
    if (this.#isOff()) return true
    const limit = this.refusing(kind)
    if (limit !== undefined) {
      this.refused[limit] += 1
      return false
    }
    this.#limits.take(kind, this.#nowMs(), this.#protect, this.#share())
    return true
  }

  /** A start is one call, whose batch has more than one first attempt: retries may be a share of all of them. */
  takeAlong(attempts: number): void {
    if (!this.#isOff()) this.#limits.takeAlong(attempts, this.#nowMs(), this.#protect)
  }

  /** What refuses a start now, if anything does. */
  refusing(kind: StartKind): Limit | undefined {
    if (this.#isOff()) return undefined
    if (this.breakerState()?.kind === 'open') return 'breaker'
    return this.#limits.refusing(kind, this.#nowMs(), this.#protect, this.#share())
  }

  /** A start that was refused is wanted: `onPossible` tells when to ask again. */
  wakeWhenStartable(kind: StartKind): void {
    this.#timer.wakeAt(this.#startableAtMs(kind))
  }

  /** What was taken did not come about: its event was not handled after all. */
  unused(kind: StartKind): void {
    if (!this.#isOff()) this.#limits.giveBack(kind, this.#protect, this.#share())
  }

  /** A try in place: only while the downstream is taken to work, and never waited for. */
  readonly takeInPlace = (): boolean => {
    if (this.#isOff()) return true
    return this.breakerState()?.kind !== 'probing' && this.take('retry')
  }

  /** Right before the handler is called. Undefined: not now, the breaker has opened since the start was taken. */
  begin(): number | undefined {
    if (this.#isOff()) return this.#phase
    return this.breakerState()?.kind === 'open' ? undefined : this.#phase
  }

  /** `begin`, waited for. @returns undefined once `stop` aborts */
  async begun(stop: AbortSignal): Promise<number | undefined> {
    for (;;) {
      const phase = this.begin()
      if (phase !== undefined || stop.aborted) return phase
      this.wakeWhenStartable('first')
      await new Promise<void>((goOn) => {
        this.#waiting.push(goOn)
        stop.addEventListener('abort', () => goOn(), { once: true })
      })
    }
  }

  /** How a delivery went. @param phase - what `begin` returned */
  ended(phase: number, position: string, result: DeliveryResult): void {
    if (this.#isOff()) return
    const policy = this.#known?.breaker
    const outcome = policy === undefined ? undefined : handlerOutcome(result, position)
    if (policy === undefined || outcome === undefined) return
    this.#breaker.note(outcome, phase, this.#nowMs(), policy)
    this.#afterBreaker()
  }

  /**
   * How long a retry that is due has to wait, if it has to.
   * @param ahead - retries that wait already
   */
  retryWait(kind: StartKind, position: string, ahead: number): RetryWait | undefined {
    if (this.#isOff()) return undefined
    const state = this.breakerState()
    const nowMs = this.#nowMs()
    if (state?.kind === 'open' || state?.kind === 'probing') {
      const beginMs = state.kind === 'open' ? state.probesAtMs : state.sinceMs
      const turnMs = beginMs + this.#breaker.turns.yieldMs(position, state.pauseMs)
      if (state.kind === 'open' || turnMs > nowMs) return { untilMs: turnMs, isCertain: true }
    }
    if (state?.kind === 'probing' && this.#breaker.probing.hasFailed(position)) {
      const quietAtMs = (this.#breaker.probing.lastMs ?? nowMs) + state.pauseMs
      return { untilMs: Math.max(nowMs + 1, quietAtMs), isCertain: true }
    }
    const perSecond = this.retriesPerSecond()
    const aheadMs = perSecond === Number.POSITIVE_INFINITY ? 0 : (ahead * 1_000) / perSecond
    const untilMs = Math.max(nowMs, this.#startableAtMs(kind)) + aheadMs
    return untilMs > nowMs ? { untilMs, isCertain: false } : undefined
  }

  /** Until when nothing is started, on the monotonic clock; undefined: the breaker is not open. */
  openUntilMs(): number | undefined {
    const state = this.breakerState()
    return state?.kind === 'open' ? state.probesAtMs : undefined
  }

  /** Retries a second that can be counted on; 0 while the breaker is open. */
  retriesPerSecond(): number {
    if (this.#isOff()) return Number.POSITIVE_INFINITY
    if (this.breakerState()?.kind === 'open') return 0
    return this.#limits.retriesPerSecond(this.#nowMs(), this.#protect, this.#share())
  }

  /** Rates and handlers at a time as they are now, within a ramp too; what does not limit is left out. */
  ratesNow(): Pick<
    ProtectionStatus,
    'ratePerSecond' | 'retryRatePerSecond' | 'concurrency' | 'retryCredits'
  > {
    const share = this.#share()
    const { ratePerSecond, retryRatePerSecond, retryBudget, breaker } = this.#protect
    const { concurrency } = this.#options.policy
    const kind = this.breakerState()?.kind
    const limit = (): number => {
      if (breaker === undefined || kind === 'closed') return concurrency
      if (kind === 'open') return 0
      return rampedLimit(concurrency, breaker.probeConcurrency, kind === 'probing' ? 0 : share)
    }
    const credits = retryBudget === undefined ? 0 : this.#limits.credits(this.#nowMs(), retryBudget)
    return {
      concurrency: limit(),
      ...(ratePerSecond !== undefined && { ratePerSecond: rampedRate(ratePerSecond, share) }),
      ...(retryRatePerSecond !== undefined && { retryRatePerSecond: rampedRate(retryRatePerSecond, share) }),
      ...(retryBudget !== undefined && { retryCredits: Math.floor(credits * 10) / 10 }),
    }
  }

  /** When the full rate will be reached, on the monotonic clock. */
  rampEndsMs({ sinceMs }: BreakerState & { readonly kind: 'ramping' }): number {
    return sinceMs + (this.#known?.breaker?.rampMs ?? 0)
  }

  /** Undefined without a breaker. */
  breakerState(): BreakerState | undefined {
    const policy = this.#isOff() ? undefined : this.#known?.breaker
    if (policy === undefined) return undefined
    const state = this.#breaker.state(this.#nowMs(), policy)
    if (this.#breaker.phase !== this.#phase) this.#afterBreaker()
    return state
  }

  /** What the state rests on, for those who look from outside. */
  get view(): Pick<Breaker, 'window' | 'probing'> & { readonly openSinceMs: number | undefined } {
    const { window, probing } = this.#breaker
    return { window, probing, openSinceMs: this.#openSinceMs }
  }

  get #protect(): ProtectPolicy {
    return this.#known as ProtectPolicy
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }

  #isOff(): boolean {
    return !this.isActive
  }

  /** Takes note of the policy as it is now. */
  #look(): void {
    const { protect } = this.#options.policy
    if (protect === this.#known) return
    this.#known = protect
    const { ratePerSecond, retryRatePerSecond, retryBudget, breaker } = protect
    this.#isActive = [ratePerSecond, retryRatePerSecond, retryBudget, breaker].some(
      (part) => part !== undefined,
    )
    this.#limits.ratesChanged()
    if (breaker === undefined) this.#breaker.reset()
    this.#afterBreaker()
  }

  #startableAtMs(kind: StartKind): number {
    const state = this.breakerState()
    if (state?.kind === 'open') return state.probesAtMs
    return this.#limits.startableAtMs(kind, this.#nowMs(), this.#protect, this.#share())
  }

  /** Of the full rates. */
  #share(): number {
    const state = this.breakerState()
    if (state?.kind !== 'ramping') return 1
    return rampShare(state.sinceMs, this.#known?.breaker?.rampMs ?? 0, this.#nowMs())
  }

  #afterBreaker(): void {
    if (this.#breaker.phase === this.#phase) return
    const { store, clock } = this.#options
    this.#phase = this.#breaker.phase
    const policy = this.#known?.breaker
    const state: BreakerState =
      policy === undefined ? { kind: 'closed' } : this.#breaker.state(clock.monotonicMs(), policy)
    this.#phase = this.#breaker.phase
    store.save(state)
    this.#tell(state)
    for (const listener of this.#changed) listener()
  }

  #tell(state: BreakerState): void {
    const { clock, logger, notify, subscription } = this.#options
    const atMs = clock.now()
    if (state.kind === 'open') {
      const probesAtMs = toWall(clock, state.probesAtMs)
      const { reason, pauseMs } = state
      logger.warn(
        { subscription, reason, pauseMs },
        'the breaker is open: nothing is started until it probes',
      )
      if (this.#openSinceMs !== undefined) return
      this.#openSinceMs = state.sinceMs
      notify({ kind: 'breaker-opened', subscription, reason, probesAtMs, atMs })
      return
    }
    const openSinceMs = this.#openSinceMs
    if (state.kind === 'probing' || openSinceMs === undefined) return
    this.#openSinceMs = undefined
    const openMs = Math.round(clock.monotonicMs() - openSinceMs)
    logger.info({ subscription, openMs }, 'the breaker has closed: starts go up to the full rate')
    notify({ kind: 'breaker-closed', subscription, openMs, atMs })
  }

  #startsMayBePossible(): void {
    for (const listener of this.#possible) listener()
    this.#goOn()
  }

  #goOn(): void {
    for (const goOn of this.#waiting.splice(0)) goOn()
  }
}
