import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Eddy, open } from 'eddy'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Clap, keyOf } from '../src/clap.ts'
import { ClapCounts } from '../src/clap-counts.ts'
import { CLAPS, clapsApp } from '../src/claps-app.ts'
import { randomClaps, totalsOf } from '../src/random-claps.ts'
import { seeded } from './seeded.ts'

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'eddy-claps-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[list[i], list[j]] = [list[j] as T, list[i] as T]
  }
  return list
}

describe('ClapCounts', () => {
  it('comes to the same totals for any order and any repetitions', async () => {
    const claps = randomClaps({ posts: 3, members: 4, events: 120, random: seeded(7) })
    const counts = new ClapCounts(temporaryDirectory())
    for (const clap of shuffled([...claps, ...claps, ...claps], seeded(8))) counts.apply(clap)
    expect(counts.totals()).toEqual(totalsOf(claps))
    await counts.close()
  })
})

describe('claps through Eddy', () => {
  it('stay right under duplicates, disorder, failures of 10 % and a restart in the middle (I2)', async () => {
    const directory = temporaryDirectory()
    const random = seeded(42)
    const claps = randomClaps({ posts: 6, members: 30, events: 1_500, random })
    const twice = claps.filter(() => random() < 0.3)
    const sent = shuffled([...claps, ...twice], random)
    let failures = 0
    const disturb = () => {
      // Twice in an attempt: before and after the count.
      if (random() >= 0.05) return
      failures++
      throw new Error('failed at random')
    }
    const counts = new ClapCounts(join(directory, 'counts'))
    const start = () => open(clapsApp({ counts, disturb }), { dataDir: join(directory, 'engine') })

    let eddy = await start()
    await append(eddy, sent.slice(0, 900))
    // No wait: events are running, waiting and due for a retry.
    await eddy.close()
    eddy = await start()
    await append(eddy, sent.slice(900))
    await vi.waitFor(
      async () => {
        const status = await eddy.operations.showSubscription('claps-per-post')
        expect(status).toMatchObject({ lagRecords: 0, inFlight: 0, retrying: 0, dead: 0 })
      },
      { timeout: 25_000, interval: 50 },
    )
    await eddy.close()
    expect(failures).toBeGreaterThan(100)
    expect(counts.totals()).toEqual(totalsOf(claps))
    await counts.close()
  })
})

async function append(eddy: Eddy, claps: readonly Clap[]): Promise<void> {
  for (let i = 0; i < claps.length; i += 100) {
    const events = claps.slice(i, i + 100).map((clap) => ({ key: keyOf(clap), type: 'clap', data: clap }))
    const outcomes = await eddy.append(CLAPS, events)
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
  }
}
