import type { Clock } from '@eddy/core'
import { Prng } from '../clock/prng.ts'

export class DownstreamError extends Error {
  override name = 'DownstreamError'
}

/** Calls at a time that it bears for as long as one likes. */
export const BEARABLE_CALLS = 16
/** It comes round only while it has no more than this to do. */
const QUIET_CALLS = 2
const BASE_LATENCY_MS = 40
/** At full strain each call takes this many times as long. */
const STRAINED_LATENCY = 25
/** From none to full in this time, at twice what it bears. */
const STRAIN_MS = 5_000
/** From full to none in this time, when left alone. */
const RECOVERY_MS = 8_000
const MAX_ERROR_RATE = 0.97

/**
 * A service that collapses under load, as services do: what it has to do at a time strains it, strain makes it slow and
 * lets calls fail, slow calls pile up, and it does not come round before it is left alone. Its capacity when well is 400
 * calls a second.
 */
export class Downstream {
  readonly #clock: Clock
  readonly #chance: Prng
  #inFlight = 0
  /** 0: well, 1: down. */
  #strain = 0
  #lookedAtMs = 0
  #frozenUntilMs = 0
  #inFlightMs = 0

  constructor(clock: Clock, seed: number) {
    this.#clock = clock
    this.#chance = new Prng(`downstream/${seed}`)
  }

  get strain(): number {
    this.#pass()
    return this.#strain
  }

  /** Calls in flight, on average since this was asked last. */
  averageInFlight(spanMs: number): number {
    this.#pass()
    const average = this.#inFlightMs / spanMs
    this.#inFlightMs = 0
    return average
  }

  /** A hiccup: nothing is answered for so long. */
  freeze(ms: number): void {
    this.#frozenUntilMs = this.#clock.monotonicMs() + ms
  }

  /** @throws DownstreamError */
  async call(): Promise<void> {
    this.#pass()
    this.#inFlight += 1
    const frozenMs = Math.max(0, this.#frozenUntilMs - this.#clock.monotonicMs())
    const latencyMs = BASE_LATENCY_MS * (1 + (STRAINED_LATENCY - 1) * this.#strain)
    await this.#clock.sleep(Math.round(frozenMs + latencyMs * (0.75 + this.#chance.next() / 2)))
    this.#pass()
    this.#inFlight -= 1
    if (this.#chance.next() < MAX_ERROR_RATE * this.#strain) throw new DownstreamError('503 overloaded')
  }

  /** What the time since the last look has done. */
  #pass(): void {
    const nowMs = this.#clock.monotonicMs()
    const passedMs = nowMs - this.#lookedAtMs
    this.#lookedAtMs = nowMs
    this.#inFlightMs += passedMs * this.#inFlight
    const over = this.#inFlight / BEARABLE_CALLS - 1
    if (over > 0) this.#strain = Math.min(1, this.#strain + (over * passedMs) / STRAIN_MS)
    else if (this.#inFlight <= QUIET_CALLS) this.#strain = Math.max(0, this.#strain - passedMs / RECOVERY_MS)
  }
}
