import { BATCH, CALLERS } from '../peer.ts'

/** All items in batches of 500, in turn, four calls under way at a time. */
export async function inBatches<T>(
  items: readonly T[],
  send: (batch: readonly T[], caller: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (next < items.length) {
      const from = next
      next += BATCH
      await send(items.slice(from, from + BATCH), caller)
    }
  })
  await Promise.all(callers)
}
