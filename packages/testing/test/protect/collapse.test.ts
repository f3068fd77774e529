import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { drawCollapse } from '../../src/collapse/draw-collapse.ts'
import {
  COLLAPSE_SEED,
  type Collapse,
  HICCUP_AT_SECOND,
  HICCUP_MS,
  OFFERED_PER_SECOND,
  PROTECTION,
  playCollapse,
} from '../../src/collapse/play-collapse.ts'

const CHART = new URL('../../../../docs/guides/protection-collapse.svg', import.meta.url)

/** When the downstream answers again, and the time by which all is as before, as the guide states. */
const ANSWERS_AT_SECOND = HICCUP_AT_SECOND + HICCUP_MS / 1_000
const WELL_WITHIN_SECONDS = 20

describe('a downstream that collapses under load, and recovers only when left alone', () => {
  let guarded: Collapse
  let bare: Collapse

  beforeAll(async () => {
    guarded = await playCollapse({ seed: COLLAPSE_SEED, protect: PROTECTION })
    bare = await playCollapse({ seed: COLLAPSE_SEED, protect: undefined })
  }, 120_000)

  test('both sides are well before, and down together', () => {
    for (const { seconds } of [guarded, bare]) {
      for (const second of seconds.slice(1, HICCUP_AT_SECOND)) expect(second.handled).toBe(OFFERED_PER_SECOND)
      for (const second of seconds.slice(HICCUP_AT_SECOND + 1, ANSWERS_AT_SECOND))
        expect(second.handled).toBe(0)
    }
  })

  test('with protection it is at full rate again within 20 s, its backlog worked off, and nothing is lost or dead-lettered (I2)', () => {
    const after = guarded.seconds.slice(ANSWERS_AT_SECOND + WELL_WITHIN_SECONDS)
    for (const second of after) expect(second.handled).toBe(OFFERED_PER_SECOND)
    expect(guarded).toMatchObject({ dead: 0, retrying: 0, lagRecords: 0 })
    expect(guarded.handled).toBe(guarded.appended)
  })

  test('the backlog is let go bit by bit: the downstream is not strained again', () => {
    const afterwards = guarded.seconds.slice(ANSWERS_AT_SECOND + 2)
    expect(Math.max(...afterwards.map((second) => second.inFlight))).toBeLessThanOrEqual(16)
    expect(afterwards.filter((second) => second.breaker === 'open').length).toBe(0)
  })

  test('without protection it stays down: what calls it keeps it down', () => {
    const after = bare.seconds.slice(ANSWERS_AT_SECOND + WELL_WITHIN_SECONDS)
    for (const second of after) expect(second.handled).toBeLessThan(OFFERED_PER_SECOND / 4)
    expect(bare.handled).toBeLessThan(bare.appended / 3)
  })

  test('the chart in the guide is of this run; after a change: npm run chart:collapse', async () => {
    expect(drawCollapse(guarded, bare) === (await readFile(CHART, 'utf8'))).toBe(true)
  })
})
