import { ownMs } from '../support/machine.ts'
import { type Peer, type PeerQueue, ROUND_TIMEOUT_MS, type RunningPeer } from './peer.ts'
import { type Body, Tally } from './tally.ts'

export interface Measured {
  readonly messages: number
  readonly ms: number
  readonly clientCpuMs: number
  /** Undefined where it cannot be read. */
  readonly serverCpuMs: number | undefined
}

export const SHAPES = ['produce', 'consume', 'at once', 'failing'] as const
export type Shape = (typeof SHAPES)[number]
export type Round = Readonly<Record<Shape, Measured>>

/**
 * One side's share of a round: produce, then consume; both at once; consume with failures.
 *
 * @throws Error when a message was handled too seldom or too often, or the side still holds one
 */
export async function playRound(
  peer: Peer,
  running: RunningPeer,
  messages: readonly Body[],
  round: number,
): Promise<Round> {
  const named = (shape: string): string => `${shape}-${round}`
  let produced: Measured | undefined
  const consumed = await onQueue(running, named('apart'), async (queue) => {
    produced = await measured(running, messages.length, () => queue.produce(messages))
    return await consumption(running, queue, new Tally(messages.length, 'flawless'))
  })
  const together = await onQueue(running, named('together'), async (queue) => {
    const tally = new Tally(messages.length, 'flawless')
    return await consumption(running, queue, tally, () => queue.produce(messages))
  })
  const failing = await onQueue(running, named('failing'), async (queue) => {
    await queue.produce(messages)
    return await consumption(running, queue, new Tally(messages.length, 'failing'))
  })
  if (produced === undefined) throw new Error(`${peer.name} produced nothing`)
  return { produce: produced, consume: consumed, 'at once': together, failing }
}

/** A queue of its own for each shape, gone afterwards. */
async function onQueue<T>(
  running: RunningPeer,
  name: string,
  action: (queue: PeerQueue) => Promise<T>,
): Promise<T> {
  const queue = await running.queue(name)
  try {
    const result = await action(queue)
    const left = await queue.left()
    if (left !== 0) throw new Error(`${left} messages are left after all were handled`)
    return result
  } finally {
    await queue.close()
  }
}

async function consumption(
  running: RunningPeer,
  queue: PeerQueue,
  tally: Tally,
  meanwhile?: () => Promise<void>,
): Promise<Measured> {
  const result = await measured(running, tally.count, async () => {
    const { settle } = await queue.consume(tally)
    await Promise.all([meanwhile?.(), tally.complete(ROUND_TIMEOUT_MS)])
    await settle()
  })
  tally.check()
  return result
}

async function measured(
  running: RunningPeer,
  messages: number,
  work: () => Promise<void>,
): Promise<Measured> {
  const serverBeforeMs = running.serverCpuMs()
  const clientBeforeMs = ownMs()
  const startedMs = performance.now()
  await work()
  const ms = performance.now() - startedMs
  const clientCpuMs = ownMs() - clientBeforeMs
  const serverAfterMs = running.serverCpuMs()
  const serverCpuMs =
    serverBeforeMs === undefined || serverAfterMs === undefined ? undefined : serverAfterMs - serverBeforeMs
  return { messages, ms, clientCpuMs, serverCpuMs }
}
