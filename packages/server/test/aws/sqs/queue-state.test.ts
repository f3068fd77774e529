import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/aws/sqs/state/message.ts'
import { QueueState } from '../../../src/aws/sqs/state/queue-state.ts'
import { NaiveQueue } from './support/naive-queue.ts'

const RETENTION_MS = 300_000

type Step =
  | { readonly do: 'send'; readonly group: number; readonly delayS: number }
  | { readonly do: 'take'; readonly count: number; readonly visibilityS: number }
  | { readonly do: 'delete'; readonly which: number }
  | { readonly do: 'hide'; readonly which: number; readonly seconds: number }
  | { readonly do: 'delay anew'; readonly seconds: number }
  | { readonly do: 'purge' }
  | { readonly do: 'wait'; readonly seconds: number }

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send'), group: fc.nat(3), delayS: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take'), count: fc.nat(5), visibilityS: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete'), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hide'), which: fc.nat(30), seconds: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delay anew'), seconds: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge') }) },
) as fc.Arbitrary<Step>

interface Case {
  readonly fifo: boolean
  readonly maxReceives: number | undefined
  readonly steps: readonly Step[]
}

/** Plays the steps on both, and compares what each one answers and what it holds. */
function play({ fifo, maxReceives, steps }: Case): void {
  const state = new QueueState(fifo)
  const naive = new NaiveQueue(fifo)
  let nowMs = 1_000_000
  let delayS = 0
  let sequence = 0
  for (const step of steps) {
    const expired = state.settle(nowMs, RETENTION_MS).map((message) => message.sequence)
    expect(expired.sort(byNumber)).toEqual(naive.settle(nowMs, RETENTION_MS))
    switch (step.do) {
      case 'wait':
        nowMs += 1_000 * step.seconds
        break
      case 'send': {
        sequence++
        const visibleAtMs = nowMs + 1_000 * (fifo ? delayS : step.delayS)
        state.add(message(sequence, `g${step.group}`, nowMs, visibleAtMs))
        naive.add({ sequence, group: `g${step.group}`, sentAtMs: nowMs, visibleAtMs })
        break
      }
      case 'take': {
        const request = { count: step.count, nowMs, visibilityMs: 1_000 * step.visibilityS, maxReceives }
        const { messages, givenUp } = state.take(request)
        // As a receive does that hides for no time.
        if (step.visibilityS === 0) for (const taken of messages) state.hide(taken, nowMs, nowMs)
        const taken = [messages, givenUp].map((some) => some.map((one) => one.sequence))
        expect(taken).toEqual(naive.take(request))
        break
      }
      case 'delete': {
        const all = naive.sequences()
        const chosen = all[step.which % Math.max(1, all.length)]
        const found = chosen === undefined ? undefined : state.get(chosen)
        if (found !== undefined) state.remove(found)
        if (chosen !== undefined) naive.remove(chosen)
        break
      }
      case 'hide': {
        const inFlight = naive.inFlight()
        const chosen = inFlight[step.which % Math.max(1, inFlight.length)]
        const found = chosen === undefined ? undefined : state.get(chosen)
        if (found !== undefined) state.hide(found, nowMs + 1_000 * step.seconds, nowMs)
        if (chosen !== undefined) naive.hide(chosen, nowMs + 1_000 * step.seconds)
        break
      }
      case 'delay anew':
        if (!fifo) break
        delayS = step.seconds
        state.delayAnew(1_000 * delayS, nowMs)
        naive.delayAnew(1_000 * delayS)
        break
      case 'purge':
        state.clear()
        naive.clear()
        break
    }
    state.settle(nowMs, RETENTION_MS)
    naive.settle(nowMs, RETENTION_MS)
    expect([...state.all()].map((one) => one.sequence)).toEqual(naive.sequences())
    expect([state.count('ready'), state.count('in-flight'), state.count('delayed')]).toEqual(naive.counts())
    expect(state.nextDueMs()).toBe(naive.nextDueMs())
    expect(state.first(Number.POSITIVE_INFINITY)?.sequence).toBe(naive.first())
  }
}

function message(sequence: number, group: string, sentAtMs: number, visibleAtMs: number): Message {
  return {
    sequence,
    messageId: `m${sequence}`,
    sentAtMs,
    group,
    deduplicationId: undefined,
    content: { queueId: 'q', sequence },
    sourceArn: undefined,
    earlierReceives: 0,
    movedFrom: undefined,
    phase: visibleAtMs > sentAtMs ? 'delayed' : 'ready',
    visibleAtMs,
    receiveCount: 0,
    firstReceivedAtMs: undefined,
    receivedAtMs: undefined,
  }
}

function byNumber(a: number, b: number): number {
  return a - b
}

describe('SQS: the state of a queue', () => {
  for (const fifo of [false, true]) {
    it(`does as a plain list of messages would, ${fifo ? 'FIFO' : 'standard'}`, () => {
      const cases = fc.record({
        fifo: fc.constant(fifo),
        maxReceives: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        steps: fc.array(STEP, { minLength: 1, maxLength: 60 }),
      })
      fc.assert(fc.property(cases, play), { numRuns: 400 })
    })
  }

  it('holds little more than its messages, however often they come and go', () => {
    const tally = { used: 0 }
    for (const fifo of [false, true]) {
      const state = new QueueState(fifo, tally)
      state.add(message(1, 'g', 0, 0))
      for (let nowMs = 0; nowMs < 20_000; nowMs++) {
        const [taken] = state.take({
          count: 1,
          nowMs,
          visibilityMs: 43_200_000,
          maxReceives: undefined,
        }).messages
        if (taken === undefined) throw new Error(`nothing to take at ${nowMs}`)
        state.hide(taken, nowMs, nowMs)
      }
      expect(state.heldEntries()).toBeLessThan(3 * 1_024 + 8)
      expect(tally.used).toBe(1)
      state.clear()
    }
    expect(tally.used).toBe(0)
  })
})
