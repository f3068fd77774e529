import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 250

export interface UntilOptions {
  /** What is told if it never is. */
  readonly logs?: () => string
  /** Default 400,000. */
  readonly timeoutMs?: number
}

/** Looks again until it is as it has to be. @throws when its time is over, with what was seen last */
export async function until<T>(
  look: () => Promise<T> | T,
  isDone: (seen: T) => boolean,
  { logs = () => '', timeoutMs = 400_000 }: UntilOptions = {},
): Promise<T> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (isDone(seen)) return seen
    if (performance.now() > endMs)
      throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(seen)}\n${logs()}`)
    await sleep(EVERY_MS)
  }
}
