import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@eddy/core'
import { type EmbeddedEngine, openEmbedded, systemClock } from '@eddy/embedded'
import { VirtualClock } from '@eddy/testing'
import type { EngineFixture } from '@eddy/testing/contracts'

/** A fixture whose engine lies in a temporary directory. */
export async function openFixture(): Promise<EngineFixture> {
  let leapMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + leapMs }
  return {
    ...(await openOn(clock)),
    advance: (ms) => systemClock.sleep(ms),
    leap: async (ms) => {
      leapMs += ms
    },
  }
}

/** One whose clock stands still but for `advance`; calls are answered all the same. */
export async function openOnVirtualClock(): Promise<EngineFixture> {
  const clock = new VirtualClock({ seed: 1 })
  return {
    ...(await openOn(clock)),
    advance: async (ms) => {
      await clock.advance(ms)
      // What the disk is asked for meanwhile takes real time.
      await systemClock.sleep(1)
    },
  }
}

async function openOn(clock: Clock): Promise<Omit<EngineFixture, 'advance'>> {
  const root = await mkdtemp(join(tmpdir(), 'eddy-embedded-'))
  let opens = 0
  const open = (): Promise<EmbeddedEngine> => openEmbedded({ dataDir: join(root, `data-${opens}`), clock })
  const engines = [await open()]
  return {
    engine: engines[0] as EmbeddedEngine,
    // What a kill leaves is what the files hold now: they are copied from under the engine that is never closed first.
    reopen: async () => {
      const from = join(root, `data-${opens}`)
      opens++
      const to = join(root, `data-${opens}`)
      await cp(from, to, { recursive: true, filter: (path) => !/guard|owner\.json|lock\.mdb/.test(path) })
      const engine = await open()
      engines.push(engine)
      return engine
    },
    close: async () => {
      for (const engine of engines) await engine.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}
