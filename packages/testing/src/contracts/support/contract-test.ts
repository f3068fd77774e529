import { type Clock, type Engine, isEddyError } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { ContractOptions, EngineFixture, OpenFixture } from './fixture.ts'
import { patientEngine } from './patient-engine.ts'

/** What a contract's test works with. */
export interface Subject {
  /** The engine under test; on a faulty one, with resending around it. */
  readonly engine: Engine
  readonly options: ContractOptions
  readonly faulty: boolean
  advance(ms: number): Promise<void>
  /** @throws when the fixture has no `reopen`; state `needs` instead */
  reopen(): Promise<Engine>
  leap(ms: number): Promise<void>
  /** Probes until there is an answer, at most 250 times, 20 ms apart. */
  eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T>
}

export interface ContractTestOptions {
  /** Skipped where the fixture lacks it. */
  readonly needs?: 'reopen' | 'leap'
  /** States what a log that drops copies does: left out, and told, for one that leaves them to readers. */
  readonly ofCopies?: boolean
  /** States more than a faulty engine promises: left out there. */
  readonly strict?: boolean
}

export type ContractTest = (
  name: string,
  body: (subject: Subject) => Promise<void>,
  options?: ContractTestOptions,
) => void

export type ContractGroups = Readonly<Record<string, (contractTest: ContractTest) => void>>

/** What departs may be that something never comes. */
const DEPARTURE_TIMEOUT_MS = 20_000

/** Declares the groups of tests for one engine. Every test has an engine of its own. */
export function contract(
  name: string,
  open: OpenFixture,
  options: ContractOptions,
  groups: ContractGroups,
): void {
  const { faulty = false, departures = {}, leaveOut = [] } = options
  const unknown = new Set(Object.keys(departures))
  const contractTest: ContractTest = (title, body, { needs, strict, ofCopies } = {}) => {
    const departure = departures[title]
    unknown.delete(title)
    if (strict === true && faulty) return
    const how = departure === undefined ? {} : { fails: true, timeout: DEPARTURE_TIMEOUT_MS }
    test(departure === undefined ? title : `${title} (not so here: ${departure})`, how, async (context) => {
      const fixture = await open()
      try {
        if (needs !== undefined && fixture[needs] === undefined) context.skip(`the fixture has no ${needs}`)
        if (ofCopies === true && !fixture.engine.log.dropsCopies)
          context.skip('the log keeps copies, and readers drop them')
        await body(subjectOf(fixture, options))
      } finally {
        await fixture.close()
      }
    })
  }
  describe(name, () => {
    for (const [title, group] of Object.entries(groups))
      if (!leaveOut.includes(title)) describe(title, () => group(contractTest))
    if (unknown.size + leaveOut.length > 0)
      // Asked when it runs: groups are declared after this.
      test('every departure, and what is left out, is there', () =>
        expect([...unknown, ...leaveOut.filter((title) => !(title in groups))]).toEqual([]))
  })
}

/** Expects the call to reject with an EddyError of this code. */
export async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    (value) => new Error(`expected a rejection with ${code}, but it resolved: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!isEddyError(error)) throw error
  expect(error.code).toBe(code)
}

/** A wait that only its cause should end: longer than anything a test does, shorter than its patience. */
export const LONG_WAIT_MS = 20_000

/** Expects the call to be answered long before a wait of `LONG_WAIT_MS` would have ended by itself. */
export async function expectWoken<T>(clock: Clock, call: () => Promise<T>): Promise<T> {
  const from = clock.monotonicMs()
  const answer = await call()
  expect(clock.monotonicMs() - from).toBeLessThan(LONG_WAIT_MS * 0.75)
  return answer
}

/** The most probes of anything that is waited for. */
export const MAX_PROBES = 250
const PROBE_MS = 20

function subjectOf(fixture: EngineFixture, options: ContractOptions): Subject {
  const faulty = options.faulty === true
  const wrap = (engine: Engine): Engine => (faulty ? patientEngine(engine) : engine)
  return {
    engine: wrap(fixture.engine),
    options,
    faulty,
    advance: (ms) => fixture.advance(ms),
    reopen: async () => wrap(await required(fixture.reopen, 'reopen').call(fixture)),
    leap: (ms) => required(fixture.leap, 'leap').call(fixture, ms),
    eventually: async (what, probe) => {
      for (let i = 0; i < MAX_PROBES; i++) {
        const answer = await probe()
        if (answer !== undefined) return answer
        await fixture.advance(PROBE_MS)
      }
      throw new Error(`expected ${what} within ${MAX_PROBES} probes`)
    },
  }
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the fixture has no ${name}`)
  return value
}
