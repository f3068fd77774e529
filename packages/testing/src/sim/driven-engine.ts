import type { Engine } from '@eddy/core'
import type { VirtualClock } from '../clock/virtual-clock.ts'

/**
 * An engine whose calls drive the virtual clock until they are answered, so that a test may simply await them. A call
 * that waits lets time run on to its end.
 */
export function drivenEngine(engine: Engine, clock: VirtualClock): Engine {
  return {
    ...engine,
    log: driven(engine.log, clock),
    queue: driven(engine.queue, clock),
    table: driven(engine.table, clock),
    blobs: {
      ...driven(engine.blobs, clock),
      async *list(prefix) {
        const infos = engine.blobs.list(prefix)[Symbol.asyncIterator]()
        for (;;) {
          const next = await clock.settle(infos.next())
          if (next.done === true) return
          yield next.value
        }
      },
    },
  }
}

function driven<P extends object>(port: P, clock: VirtualClock): P {
  const members = Object.entries(port).map(([name, member]) => [
    name,
    typeof member !== 'function'
      ? member
      : (...args: readonly unknown[]): unknown => {
          const answer: unknown = member.apply(port, args)
          return answer instanceof Promise ? clock.settle(answer) : answer
        },
  ])
  return Object.fromEntries(members) as P
}
