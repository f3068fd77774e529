import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Blocks } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { DeployedApp } from '../../support/functions/deployed-app.ts'
import type { Victim } from '../../support/kill-in-flight.ts'
import { activityFile, activityIn } from './activity.ts'
import { APP_FILE } from './history.ts'
import { Outside, outsideApp, SUBSCRIPTION, settingsOf } from './outside.ts'
import { play, StoryFile, TEST_MS } from './story.ts'

/** A schedule invokes it each minute; here more often, since a story is short. */
const SWEEP_MS = 10_000
/** Two batches of a shard at a time, where keys stand for themselves. */
const FACTOR = { nothing: 2, key: 2, shard: 1 } as const

const story = new StoryFile()

describe('git-history in functions, killed at random with work in flight (I1, I2, I3)', {
  concurrent: true,
}, () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const)
    it(`blocks: ${blocks}: equals git's own count for every path`, { timeout: TEST_MS }, () =>
      inFunctions(blocks),
    )
})

async function inFunctions(blocks: Blocks): Promise<void> {
  const { world, parent } = story.get()
  const directory = join(parent, blocks)
  mkdirSync(directory)
  const fileOf = (role: string, number: number) => activityFile(directory, `${role}-${number}`)
  const deployed = await DeployedApp.deploy({
    world,
    file: APP_FILE,
    app: outsideApp(blocks),
    name: `git-${blocks}`,
    env: settingsOf(blocks, directory),
    envOf: (role, number) => ({ EDDY_ACTIVITY_FILE: fileOf(role, number) }),
  })
  const roles = ['live', 'retry'] as const
  const victims = (): readonly Victim[] =>
    roles.flatMap((role) =>
      deployed.fn(role, SUBSCRIPTION).processes.map((process) => {
        const inFlight = () => activityIn(fileOf(role, process.number)).inFlight
        return { pid: process.pid, inFlight, kill: () => process.kill() }
      }),
    )
  const over = new AbortController()
  try {
    const mapping = deployed.mapStream(SUBSCRIPTION, { parallelizationFactor: FACTOR[blocks] })
    await deployed.mapRetries(SUBSCRIPTION)
    const sweeping = sweep(deployed, over.signal)
    const played = await play(story.get(), {
      outside: new Outside(deployed.engine, blocks, directory),
      victims,
      replace: async () => {},
      logs: () => deployed.logs,
    })
    story.expectEqual(blocks, directory, played)
    // No batch was given up: what was killed came again.
    expect(mapping.discarded).toEqual([])
    over.abort()
    await sweeping
  } finally {
    over.abort()
    await deployed.stop()
  }
}

/** As a schedule does: one that fails comes again with the next. */
async function sweep(deployed: DeployedApp, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await deployed.fn('sweep').invoke({})
    await sleep(SWEEP_MS, undefined, { signal }).catch(() => {})
  }
}
