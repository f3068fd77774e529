/**
 * A signal that aborts with any of the others. `release` lets go of them, which matters for the ones that outlive the
 * request: `AbortSignal.any` leaves its listeners on those.
 */
export function linkedSignal(signals: readonly AbortSignal[]): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  for (const signal of signals) {
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) signal.removeEventListener('abort', abort)
    },
  }
}
