/**
 * Records taken in beyond what the durable checkpoint knows. After an unclean stop, this many at most after the
 * checkpoint's own may have been started (C3).
 */
export const MAX_UNSAVED_RECORDS = 1_024

/** Ordinals between the lowest unresolved record and the newest one taken in. */
export const MAX_SPAN_RECORDS = 100_000

/** Run lengths in a checkpoint: at the bound intake stops (scenario 6). */
export const MAX_RUNS = 4_096

/** Events beyond the running handlers that are on their way into the failure ledger: at the bound no handler starts. */
export const MAX_STORING = 256

/** Lanes ready to go on, beyond the concurrency, at which taking in more records brings nothing. */
export const ENOUGH_READY = 256

export const SAVE_EVERY_MS = 1_000
