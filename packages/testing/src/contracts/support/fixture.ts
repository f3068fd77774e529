import type { Engine } from '@eddy/core'

/** An engine under test, freshly opened on empty storage. */
export interface EngineFixture {
  readonly engine: Engine
  /** Lets time pass on the engine's clock; a real engine waits. Kept to tens of milliseconds. */
  advance(ms: number): Promise<void>
  /** Kills the engine without a word (no close) and starts it again from what was stored. */
  reopen?(): Promise<Engine>
  /** Moves the engine's wall time forward at once, by hours or days. Absent: tests of retention are skipped. */
  leap?(ms: number): Promise<void>
  /** Closes the engine in use and removes what it stored. */
  close(): Promise<void>
}

export type OpenFixture = () => Promise<EngineFixture>

/** Left out: as the port has it for an engine that knows everything of its streams. */
export interface LogNature {
  /** Default 1 hour. */
  readonly minRetentionMs?: number
  /** A record comes without the explicit hash key that placed it. */
  readonly forgetsHashKeys?: true
  /** Depths grow from parent to child, and are no count of generations. */
  readonly hasOwnDepths?: true
  /** Times of streams and records are in whole seconds, or approximate by as much. */
  readonly timesInSeconds?: true
}

export interface ContractOptions {
  /**
   * The engine does what the ports allow and reliable engines avoid: entries fail, acknowledgements are lost, calls
   * reject with retryable errors, deliveries repeat and overtake. The suite then resends, and tests that need an engine
   * without faults are left out.
   */
  readonly faulty?: boolean
  /** Largest `AppendEntry.data` in bytes, when the engine has such a limit below 32 MiB. */
  readonly maxRecordBytes?: number
  /** What a log's service does otherwise by its nature, as its documentation says. */
  readonly log?: LogNature
  /**
   * Tests, by their titles, that a service fails, or an emulator because it departs from the service it stands for, each
   * with why. They must fail: one that passes no longer departs.
   */
  readonly departures?: Readonly<Record<string, string>>
  /** Titles of groups of tests about what the engine does not have. */
  readonly leaveOut?: readonly string[]
}
