import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type AwsWorld, startAwsWorld } from '../../support/aws-world.ts'
import { killInFlight, type Victim } from '../../support/kill-in-flight.ts'
import { type History, makeHistory, type Verdict } from './history.ts'
import type { Outside } from './outside.ts'

/** EDDY_STORY_CHANGES and EDDY_STORY_KILLS make it larger. */
export const CHANGES: number = Number(process.env.EDDY_STORY_CHANGES ?? '1200')
export const KILLS: number = Number(process.env.EDDY_STORY_KILLS ?? '4')
/**
 * For what is left once everything is in the stream: no speed is asserted. What a killed process had taken of retries waits
 * until its claims are over and the sweep has sent it again.
 */
const SETTLE_MS = Number(process.env.EDDY_STORY_SETTLE_MS ?? Math.max(300_000, CHANGES * 60))
/** Of a test, with all of it. */
export const TEST_MS: number = 2 * SETTLE_MS

export interface Story {
  readonly parent: string
  readonly world: AwsWorld
  readonly history: History
}

/** What the tests of a file share, made before them. */
export function beginStory(): { readonly get: () => Story } {
  let story: Story | undefined
  let parent = ''
  let world: AwsWorld | undefined
  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'eddy-git-story-'))
    world = await startAwsWorld()
    story = { parent, world, history: await makeHistory(parent, CHANGES) }
  }, 120_000)
  afterAll(async () => {
    await world?.close()
    rmSync(parent, { recursive: true, force: true })
  })
  return {
    get: () => {
      if (story === undefined) throw new Error('the story has not begun')
      return story
    },
  }
}

export interface Cast {
  readonly outside: Outside
  readonly victims: () => readonly Victim[]
  /** After each kill. */
  readonly replace: () => Promise<void>
  readonly logs: () => string
}

/** Feeds the stream, kills on the way, waits until everything is done. */
export async function play(
  { history }: Story,
  cast: Cast,
): Promise<{ verdict: Verdict; inFlight: readonly number[] }> {
  const { outside, victims, replace, logs } = cast
  const stop = new AbortController()
  const inFlight: number[] = []
  try {
    const feeding = outside.feed(history.changes, () => inFlight.length < KILLS, stop.signal)
    feeding.catch(() => {})
    for (let kill = 1; kill <= KILLS; kill += 1) {
      inFlight.push(await killInFlight(victims))
      await replace()
    }
    await feeding
    return { verdict: await outside.settled(history, SETTLE_MS), inFlight }
  } catch (error) {
    throw new Error(`${String(error)}\n${logs()}`, { cause: error })
  } finally {
    stop.abort()
  }
}

/** What holds in every mode, for each value of `blocks`. */
export function expectEqual(
  { history }: Story,
  { verdict, inFlight }: { readonly verdict: Verdict; readonly inFlight: readonly number[] },
  isOrdered: boolean,
): void {
  expect(verdict).toMatchObject({ ok: true, changes: history.changes.length, differences: [] })
  if (isOrdered) expect(verdict.firstViolations).toEqual([])
  // A kill counts only with work in flight.
  expect(inFlight).toHaveLength(KILLS)
  for (const handlers of inFlight) expect(handlers).toBeGreaterThan(0)
}
