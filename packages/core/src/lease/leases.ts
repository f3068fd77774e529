import { checkInteger } from '../model/option-checks.ts'

export interface LeasesOptions {
  /** After this long without a sign of life another worker takes what a worker had: 1,000 to 600,000, default 10,000. */
  readonly leaseMs?: number
  /** What people know this worker by; default its random id. */
  readonly name?: string
}

/** How a process shares an engine with others. Made by `leases`. */
export interface Ownership {
  readonly kind: 'leases'
  readonly leaseMs: number
  readonly name: string | undefined
}

const DEFAULT_LEASE_MS = 10_000

/**
 * For `startRuntime`: this process is one of several workers on the engine. They share out the shards and queues, and
 * take over what a dead one had.
 *
 * @throws InvalidOptionError
 */
export function leases(options: LeasesOptions = {}): Ownership {
  const { leaseMs = DEFAULT_LEASE_MS, name } = options
  return { kind: 'leases', leaseMs: checkInteger('leaseMs', leaseMs, 1_000, 600_000), name }
}
