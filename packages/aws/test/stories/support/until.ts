import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 200
const MAX_LOOKS = 600

/** Looks again until it is as it has to be. @throws after two minutes, with what was seen last and what `logs` says */
export async function until<T>(
  look: () => Promise<T> | T,
  isDone: (seen: T) => boolean,
  logs: () => string = () => '',
): Promise<T> {
  let seen = await look()
  for (let looks = 0; looks < MAX_LOOKS && !isDone(seen); looks += 1) {
    await sleep(EVERY_MS)
    seen = await look()
  }
  if (!isDone(seen)) throw new Error(`not within two minutes: ${JSON.stringify(seen)}\n${logs()}`)
  return seen
}
