import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Blocks } from '@eddy/core'
import { afterAll, beforeAll, expect } from 'vitest'
import { type AwsWorld, startAwsWorld } from '../../support/aws-world.ts'
import { killInFlight, type Victim } from '../../support/kill-in-flight.ts'
import { activityOf } from './activity.ts'
import { type History, makeHistory, type Verdict } from './history.ts'
import type { Outside } from './outside.ts'

/** EDDY_STORY_CHANGES and EDDY_STORY_KILLS make it larger. */
const CHANGES: number = Number(process.env.EDDY_STORY_CHANGES ?? '1200')
const KILLS: number = Number(process.env.EDDY_STORY_KILLS ?? '4')
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

export interface Played {
  readonly verdict: Verdict
  /** At each kill. */
  readonly inFlight: readonly number[]
}

const COLUMNS = [
  'blocks',
  'changes',
  'kills',
  'in flight',
  'attempts',
  'retries',
  'order violations',
  'equal',
]

/** What the tests of a file share, made before them; after them it prints what they came to. */
export class StoryFile {
  readonly #rows: (readonly (string | number)[])[] = []
  #story: Story | undefined

  constructor() {
    let parent = ''
    let world: AwsWorld | undefined
    beforeAll(async () => {
      parent = mkdtempSync(join(tmpdir(), 'eddy-git-story-'))
      world = await startAwsWorld()
      this.#story = { parent, world, history: await makeHistory(parent, CHANGES) }
    }, 120_000)
    afterAll(async () => {
      await world?.close()
      rmSync(parent, { recursive: true, force: true })
      const table = [COLUMNS, COLUMNS.map(() => '---'), ...this.#rows]
      console.log(table.map((cells) => `| ${cells.join(' | ')} |`).join('\n'))
    })
  }

  get(): Story {
    if (this.#story === undefined) throw new Error('the story has not begun')
    return this.#story
  }

  /** What holds in every mode, for each value of `blocks`. @param directory - with what the processes wrote down */
  expectEqual(blocks: Blocks, directory: string, { verdict, inFlight }: Played): void {
    const { changes } = this.get().history
    const { started, retries, failed } = activityOf(directory)
    const violations = `${verdict.violations}${blocks === 'nothing' ? ' (allowed)' : ''}`
    const equal = verdict.ok ? 'yes' : 'NO'
    this.#rows.push([
      ...[blocks, verdict.changes, inFlight.length, inFlight.join(' ')],
      ...[started, retries, violations, equal],
    ])
    if (blocks !== 'nothing') expect(verdict.firstViolations).toEqual([])
    expect(verdict).toMatchObject({ ok: true, changes: changes.length, differences: [] })
    // A kill counts only with work in flight.
    expect(inFlight).toHaveLength(KILLS)
    for (const handlers of inFlight) expect(handlers).toBeGreaterThan(0)
    expect(failed).toBeGreaterThan(0)
    expect(retries).toBeGreaterThan(changes.length * 0.01)
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
export async function play({ history }: Story, cast: Cast): Promise<Played> {
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
