import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, numbered, Workplace } from './support/workplace.ts'

const EVENTS = 120
const KEYS = 12
const POISON = 37
const MOST_STARTS = 8

const RETRY = 'retry: fixed({ delayMs: 20, maxAttempts: 20 })'
/** Deaths that nobody can catch and that look well; which event waits meanwhile the simulation plays for each `blocks`. */
const CASES = [
  { blocks: 'key', death: "process.kill(process.pid, 'SIGKILL')" },
  { blocks: 'shard', death: 'process.exit(0)' },
] as const

/** Starts again whenever the process has ended, as a service manager would. @returns starts that were needed */
async function supervise(place: Workplace, isDone: () => Promise<boolean>): Promise<number> {
  for (let starts = 1; starts <= MOST_STARTS; starts += 1) {
    const started = await place.start().catch(() => undefined)
    if (started === undefined) continue
    let isUp = true
    void started.exited.then(() => {
      isUp = false
    })
    await until(async () => !isUp || (await isDone().catch(() => false)))
    if (isUp) return starts
  }
  throw new Error(`it still ended after ${MOST_STARTS} starts`)
}

describe('an event that takes the process down each time it is handled', () => {
  it.each(CASES)(
    'is given up as crashed after a few deaths; all else is handled, the process stays up (blocks $blocks, $death)',
    async ({ blocks, death }) => {
      const failure = `{ blocks: '${blocks}', exhausted: 'dead-letter', ${RETRY} }`
      const handle = `async ({ data }) => {
        await sleep(1)
        if (data.n === ${POISON}) ${death}
        record(data.key + ' ' + data.n)
      }`
      const place = await Workplace.open(appOf({ failure, handle }))
      await place.load(numbered(0, EVENTS, KEYS))
      const starts = await supervise(place, async () => {
        const { dead, retrying, held, lagRecords } = await place.subscription('sub')
        return dead === 1 && retrying === 0 && held === 0 && lagRecords === 0
      })
      expect(starts).toBeGreaterThan(1)
      const [crashed, ...others] = await place.failures('?status=dead')
      expect(others).toEqual([])
      expect(crashed?.item.lastError).toMatchObject({ code: 'EDDY_HANDLER_CRASHED' })
      expect(crashed?.payload?.content).toContain(`"n":${POISON}}`)
      const handled = place.lines('handled').map((line) => Number(line.split(' ')[1]))
      const expected = Array.from({ length: EVENTS }, (_, n) => n).filter((n) => n !== POISON)
      expect([...new Set(handled)].sort((a, b) => a - b)).toEqual(expected)
      // It stays up, and goes on.
      const put = await place.command(['put', 's', '--key', 'key'], numbered(EVENTS, EVENTS + KEYS, KEYS))
      expect(put.exitCode, put.stderr).toBe(0)
      await until(() => place.lines('handled').some((line) => line.endsWith(` ${EVENTS + KEYS - 1}`)))
      expect(await place.stop()).toBe(0)
    },
  )
})
