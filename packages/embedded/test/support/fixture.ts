import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedEngine, openEmbedded, systemClock } from '@eddy/embedded'
import type { EngineFixture } from '@eddy/testing/contracts'

/** A fixture whose engine lies in a temporary directory. */
export async function openFixture(): Promise<EngineFixture> {
  const root = await mkdtemp(join(tmpdir(), 'eddy-embedded-'))
  let leapMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + leapMs }
  let opens = 0
  const open = (): Promise<EmbeddedEngine> => openEmbedded({ dataDir: join(root, `data-${opens}`), clock })
  const engines = [await open()]
  return {
    engine: engines[0] as EmbeddedEngine,
    advance: (ms) => systemClock.sleep(ms),
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
    leap: async (ms) => {
      leapMs += ms
    },
    close: async () => {
      for (const engine of engines) await engine.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}
