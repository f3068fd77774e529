const MAX_TURNS = 1_000

/** Runs all microtasks and immediates, those they start included, to their end. */
export async function drainWork(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (!process.getActiveResourcesInfo().includes('Immediate')) return
  }
}
