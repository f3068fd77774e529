import { setTimeout as sleep } from 'node:timers/promises'

/** @returns false when the time is up first */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 5,
): Promise<boolean> {
  const untilMs = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() >= untilMs) return false
    await sleep(everyMs)
  }
  return true
}
