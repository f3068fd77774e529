/**
 * Records taken in beyond what the durable checkpoint knows. After an unclean stop, this many at most after the
 * checkpoint's own may have been started (C3).
 */
export const MAX_UNSAVED_RECORDS = 1_024

/** Ordinals between the lowest unresolved record and the newest one taken in. */
export const MAX_SPAN_RECORDS = 100_000

/** Run lengths in a checkpoint: at the bound intake stops (scenario 6). */
export const MAX_RUNS = 4_096

export const SAVE_EVERY_MS = 1_000
