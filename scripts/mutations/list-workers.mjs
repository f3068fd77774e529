const HELD = 'packages/core/src/lease/held-lease.ts'
const BOARD = 'packages/core/src/lease/lease-board.ts'
const INTAKE = 'packages/core/src/consume/intake.ts'
const SIMULATION = 'packages/testing/test/workers/workers-simulation.test.ts'
const SHARING = 'packages/testing/test/workers/sharing.test.ts'
const FAILURES = 'packages/testing/test/workers/failures.test.ts'

/** Several workers on one engine: leases, taking over, handing over. @type {import('./list.mjs').Mutation[]} */
export const workerMutations = [
  {
    id: 'lease-never-over',
    test: SIMULATION,
    invariant: 'I3',
    what: 'a worker counts on a lease beyond its time (O1)',
    file: HELD,
    find: 'if (this.#ports.clock.monotonicMs() >= this.endsAtMs) this.#isLost = true\n    return this.#isLost',
    replace: 'return false',
  },
  {
    id: 'lease-taken-early',
    test: SIMULATION,
    invariant: 'I3',
    what: 'a lease is taken for free while its owner still counts on it (O1)',
    file: BOARD,
    find: 'this.#ports.clock.monotonicMs() - changedAtMs >= this.#terms.leaseMs\n',
    replace: 'this.#ports.clock.monotonicMs() - changedAtMs >= this.#terms.leaseMs / 20\n',
  },
  {
    id: 'holds-not-loaded-anew',
    test: SIMULATION,
    invariant: 'I3',
    what: 'who takes a shard over does not look at the holds that its last owner wrote (rule 1)',
    file: INTAKE,
    find: 'if (begun.length > 0 && owner.isShared) await this.#parts.holds.refresh()\n',
    replace: '',
  },
  {
    id: 'claims-of-others-ignored',
    test: SIMULATION,
    invariant: 'I3',
    what: "another worker's claim is taken for a dead process's while its handler runs (rule 7)",
    file: 'packages/core/src/fail/claims.ts',
    find: 'counts: () => true,',
    replace: 'counts: (item) => ownerOf(item) === owner,',
  },
  {
    id: 'hold-elsewhere-unknown',
    test: SIMULATION,
    invariant: 'I3',
    what: 'whoever drains goes by the holds that it remembers, though other workers write them',
    file: 'packages/core/src/fail/holds.ts',
    find: 'return !fresh && item !== undefined && isWithin(known, item) ? known : await this.read(name)',
    replace: 'return known',
  },
  {
    id: 'handed-over-while-handling',
    test: SHARING,
    invariant: 'I3',
    what: 'a shard is handed over while its handlers run (O3)',
    file: INTAKE,
    find: 'await this.#running.get(runner)\n    await runner.idle()\n    const isSaved',
    replace: 'const isSaved',
  },
  {
    id: 'handed-over-unsaved',
    test: SHARING,
    invariant: 'I3',
    what: 'a shard is handed over before its checkpoint is saved (O3)',
    file: INTAKE,
    find: 'const isSaved = await this.#saveLast(runner)',
    replace: 'const isSaved = true',
  },
  {
    id: 'crashes-not-inherited',
    test: FAILURES,
    invariant: 'I9',
    what: 'who takes over does not learn which event killed the last owner',
    file: 'packages/core/src/lease/shared-owner.ts',
    find: 'lease.ready = inherit(takenFrom)\n',
    replace: '',
  },
  {
    id: 'stops-forgotten',
    test: FAILURES,
    invariant: 'I9',
    what: 'a lease does not count how often its owners died in a row',
    file: HELD,
    find: 'return owner === self ? Math.max(1, unclean) : unclean + 1',
    replace: 'return 1',
  },
  {
    id: 'late-epoch-counts',
    test: 'packages/core/test/lease/held-lease.test.ts',
    invariant: 'I3',
    what: 'an epoch counts though the lease was lost when it was allocated (O2)',
    file: HELD,
    find: 'await this.#change((row) => ({ ...row, epoch }))\n',
    replace: '',
  },
]
