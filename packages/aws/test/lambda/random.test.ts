import { describe, expect, it } from 'vitest'
import { playFunctions, playOf } from './support/play-functions.ts'

/** More are played by hand: LAMBDA_SEEDS=2000 LAMBDA_FROM=1. */
const SEEDS = Number(process.env.LAMBDA_SEEDS ?? 8)
const FROM = Number(process.env.LAMBDA_FROM ?? 17)

describe('Functions by chance', () => {
  it('every event comes to its end, in its place, whatever dies and fails (I2, I3, I9)', async () => {
    let kills = 0
    let dead = 0
    let lostAnswers = 0
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
      const play = playOf(seed)
      const played = await playFunctions(play)
      kills += played.kills
      dead += played.dead
      lostAnswers += played.lostAnswers
      expect.soft(played.problems, JSON.stringify(play)).toEqual([])
    }
    expect(kills).toBeGreaterThan(0)
    expect(dead).toBeGreaterThan(0)
    expect(lostAnswers).toBeGreaterThan(0)
  }, 600_000)
})
