import { setImmediate as turn } from 'node:timers/promises'
import type { Engine } from '../../../src/ports/engine.ts'

/** A process that dies at its k-th port call: that call and every later one never settles. */
export interface CrashingEngine {
  readonly engine: Engine
  readonly crashed: () => boolean
  readonly calls: () => number
}

/** `before`: the k-th call has no effect. `after`: it has, but its answer never comes. */
export function crashAt(engine: Engine, k: number, when: 'before' | 'after'): CrashingEngine {
  let calls = 0
  let crashed = false
  const never = new Promise<never>(() => undefined)
  const guard = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function' || name === 'list')
          return member instanceof Function ? member.bind(target) : member
        return (...args: unknown[]): unknown => {
          if (crashed) return never
          calls += 1
          if (calls < k) return member.apply(target, args)
          crashed = true
          if (when === 'before') return never
          return Promise.resolve(member.apply(target, args)).then(() => never)
        }
      },
    })
  return {
    engine: {
      ...engine,
      md5Hex: engine.md5Hex,
      md5: engine.md5,
      close: engine.close,
      table: guard(engine.table),
      blobs: guard(engine.blobs),
      queue: guard(engine.queue),
    },
    crashed: () => crashed,
    calls: () => calls,
  }
}

/** Waits until the work has ended, or the process has died and everything it began has come to rest. */
export async function endOrCrash(
  work: Promise<unknown>,
  process: CrashingEngine,
): Promise<'ended' | 'crashed'> {
  let ended = false
  const settled = work.then(
    () => {
      ended = true
    },
    (error: unknown) => {
      ended = true
      throw error
    },
  )
  for (let turns = 0; turns < 100_000 && !ended && !process.crashed(); turns += 1)
    await Promise.race([settled, turn()])
  if (ended) {
    await settled
    return 'ended'
  }
  settled.catch(() => undefined)
  for (let turns = 0; turns < 20; turns += 1) await turn()
  return 'crashed'
}
