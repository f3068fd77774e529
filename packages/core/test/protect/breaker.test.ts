import { describe, expect, test } from 'vitest'
import { protectPolicy } from '../../src/index.ts'
import type { BreakerPolicy, ProtectOptions } from '../../src/model/protect.ts'
import { Breaker } from '../../src/protect/breaker.ts'

function policyOf(options: ProtectOptions['breaker']): BreakerPolicy {
  return protectPolicy({ breaker: options ?? {} }).breaker as BreakerPolicy
}

/** A breaker and its time; every call is of an event of its own, unless named. */
class Play {
  readonly breaker = new Breaker()
  readonly policy: BreakerPolicy
  nowMs = 1_000
  #events = 0

  constructor(options: ProtectOptions['breaker']) {
    this.policy = policyOf(options)
  }

  get state() {
    return this.breaker.state(this.nowMs, this.policy)
  }

  begin(): number {
    return this.state.kind === 'open' ? Number.NaN : this.breaker.phase
  }

  ok(times = 1, phase?: number): this {
    for (let count = 0; count < times; count += 1) {
      const position = this.#nextEvent()
      this.breaker.note({ ok: true, position }, phase ?? this.begin(), this.nowMs, this.policy)
    }
    return this
  }

  fail(times = 1, more: { phase?: number; position?: string; retryAfterMs?: number } = {}): this {
    const { phase, position, ...rest } = more
    for (let count = 0; count < times; count += 1) {
      const outcome = {
        ok: false as const,
        position: position ?? this.#nextEvent(),
        errorType: 'TypeError',
        message: 'fetch failed',
        ...rest,
      }
      this.breaker.note(outcome, phase ?? this.begin(), this.nowMs, this.policy)
    }
    return this
  }

  #nextEvent(): string {
    this.#events += 1
    return `e${this.#events}`
  }

  wait(ms: number): this {
    this.nowMs += ms
    return this
  }
}

describe('breaker', () => {
  test('opens when the share of the last outcomes that failed is reached, and not one before', () => {
    const play = new Play({ window: 10, minimum: 10, ratio: 0.5 }).ok(6).fail(4)
    expect(play.state.kind).toBe('closed')
    // The window moves on: of the last ten, five failed now.
    play.fail()
    expect(play.state).toMatchObject({
      kind: 'open',
      reason: '5 of the last 10 failed: TypeError: fetch failed',
    })
  })

  test('opens on no fewer outcomes than its minimum', () => {
    const play = new Play({ window: 100, minimum: 20 }).fail(19)
    expect(play.state.kind).toBe('closed')
    expect(play.fail().state.kind).toBe('open')
  })

  test('with a ratio of 1 one success among the last is enough to stay closed', () => {
    const play = new Play({ window: 5, minimum: 5, ratio: 1 }).fail(4).ok().fail(4)
    expect(play.state.kind).toBe('closed')
    expect(play.fail().state.kind).toBe('open')
  })

  test('pauses twice as long with every probing that fails, up to the longest', () => {
    const play = new Play({ window: 5, pauseMs: 1_000, maxPauseMs: 5_000 }).fail(5)
    const pauses: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const { state } = play
      if (state.kind !== 'open') throw new Error(state.kind)
      pauses.push(state.probesAtMs - play.nowMs)
      play.wait(state.pauseMs - 1)
      expect(play.state.kind).toBe('open')
      expect(play.wait(1).state.kind).toBe('probing')
      play.fail(5)
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000])
  })

  test('closes only on a whole window of probes, then ramps, then is as before', () => {
    const play = new Play({ window: 10, rampMs: 4_000, pauseMs: 1_000 }).fail(10).wait(1_000).ok(9)
    expect(play.state.kind).toBe('probing')
    expect(play.ok().state.kind).toBe('ramping')
    expect(play.wait(3_999).state.kind).toBe('ramping')
    expect(play.wait(1).state.kind).toBe('closed')
    play.fail(10)
    expect(play.state).toMatchObject({ kind: 'open', pauseMs: 1_000 })
  })

  test('an opening within the ramp pauses for longer than the one before: only a whole ramp resets the pause (B2)', () => {
    const play = new Play({ window: 10, rampMs: 4_000, pauseMs: 1_000 }).fail(10).wait(1_000).ok(10)
    play.wait(3_000).fail(10)
    expect(play.state).toMatchObject({ kind: 'open', pauseMs: 2_000 })
  })

  test('the first five probes that all fail are verdict enough: others keep their attempts', () => {
    const play = new Play({ window: 100 }).fail(20).wait(1_000).fail(4)
    expect(play.state.kind).toBe('probing')
    play.fail()
    expect(play.state).toMatchObject({
      kind: 'open',
      reason: '5 of 5 probes failed: TypeError: fetch failed',
    })
  })

  test('probing fails as soon as it cannot pass any more, successes in between or not', () => {
    const play = new Play({ window: 10, ratio: 0.5 }).fail(10).wait(1_000).ok(3).fail(4)
    expect(play.state.kind).toBe('probing')
    expect(play.fail().state.kind).toBe('open')
  })

  test('scenario 19: half open, an event counts once, however often it is tried', () => {
    const play = new Play({ window: 10, ratio: 0.5 }).fail(10).wait(1_000)
    play.fail(50, { position: 'poison' })
    expect(play.state.kind).toBe('probing')
    expect(play.breaker.probing.hasFailed('poison')).toBe(true)
    expect(play.ok(9).state.kind).toBe('ramping')
  })

  test('probing that comes to nothing for the length of the pause is decided on what there is', () => {
    const failing = new Play({ window: 10, pauseMs: 1_000 }).fail(10).wait(1_000).fail(2)
    failing.wait(999)
    expect(failing.state.kind).toBe('probing')
    expect(failing.wait(1).state).toMatchObject({ kind: 'open', pauseMs: 2_000, probesAtMs: 4_000 })
    const passing = new Play({ window: 10, pauseMs: 1_000 }).fail(10).wait(1_000).ok(2)
    passing.fail(1, { position: 'poison' }).wait(1_000)
    expect(passing.state.kind).toBe('probing')
    // It may be tried again.
    expect(passing.breaker.probing.hasFailed('poison')).toBe(false)
  })

  test('what began before the state did says nothing about it (B3)', () => {
    const play = new Play({ window: 10, minimum: 2, probes: 2 })
    const before = play.begin()
    play.fail(2).fail(10, { phase: before }).wait(1_000)
    expect(play.state.kind).toBe('probing')
    play.ok(10, before).fail(10, { phase: before })
    expect(play.state.kind).toBe('probing')
    const probing = play.begin()
    expect(play.ok(2).state.kind).toBe('ramping')
    play.fail(10, { phase: probing })
    expect(play.state.kind).toBe('ramping')
  })

  test('a hint of the downstream that opens it, or comes while it is open, makes the pause longer, an hour at most', () => {
    const play = new Play({ window: 3 }).fail(2).fail(1, { retryAfterMs: 30_000 })
    expect(play.state).toMatchObject({ kind: 'open', probesAtMs: 31_000 })
    play.fail(1, { phase: 0, retryAfterMs: 40_000 })
    expect(play.state).toMatchObject({ probesAtMs: 41_000 })
    play.fail(1, { phase: 0, retryAfterMs: 10_000 })
    expect(play.state).toMatchObject({ probesAtMs: 41_000 })
    play.fail(1, { phase: 0, retryAfterMs: 24 * 3_600_000 })
    expect(play.state).toMatchObject({ probesAtMs: 3_601_000 })
  })

  test('a hint of one event while the others go well is forgotten', () => {
    const play = new Play({ window: 4, minimum: 4, ratio: 1 })
      .fail(1, { retryAfterMs: 600_000 })
      .ok(4)
      .fail(4)
    expect(play.state).toMatchObject({ kind: 'open', probesAtMs: 2_000 })
  })

  test('a person closes it: full rate comes by the ramp', () => {
    const play = new Play({ window: 5, rampMs: 1_000 }).fail(5)
    play.breaker.close(play.nowMs)
    expect(play.state.kind).toBe('ramping')
    expect(play.wait(1_000).state.kind).toBe('closed')
  })

  test('another window is taken over with the last outcomes of the one before', () => {
    const play = new Play({ window: 10, minimum: 10 }).ok(4).fail(4)
    const smaller = policyOf({ window: 4, minimum: 4, ratio: 1 })
    play.breaker.note(
      { ok: false, position: 'x', errorType: 'TypeError', message: 'no' },
      play.begin(),
      play.nowMs,
      smaller,
    )
    expect(play.breaker.state(play.nowMs, smaller).kind).toBe('open')
  })

  test('the reason names the commonest error', () => {
    const play = new Play({ window: 5, minimum: 5 }).fail(4)
    const other = { ok: false as const, position: 'x', errorType: 'HttpError', message: '503' }
    play.breaker.note(other, play.begin(), play.nowMs, play.policy)
    expect(play.state).toMatchObject({ reason: '5 of the last 5 failed: TypeError' })
  })
})
