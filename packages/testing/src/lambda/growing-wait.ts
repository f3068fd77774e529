const FIRST_MS = 100
const MAX_MS = 60_000

/** How long a mapping waits before try `tries + 1` of a batch. That it waits is documented, how long is not. */
export function growingWaitMs(tries: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(tries - 1, 20))
}
