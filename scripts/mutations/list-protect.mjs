const PROTECTION = 'packages/core/src/protect/protection.ts'
const BREAKER = 'packages/core/src/protect/breaker.ts'
const ACCEPTANCE = 'packages/testing/test/acceptance/protection.test.ts'

/** What guards the downstream. @type {import('./list.mjs').Mutation[]} */
export const protectMutations = [
  {
    id: 'starts-while-open',
    test: 'packages/core/test/protect/protection.test.ts',
    invariant: 'protect',
    what: 'an open breaker refuses no start',
    file: PROTECTION,
    find: "if (this.breakerState()?.kind === 'open') return 'breaker'",
    replace: '',
  },
  {
    id: 'begins-while-open',
    invariant: 'protect',
    what: 'a start that was taken before the breaker opened begins all the same',
    file: PROTECTION,
    find: "return this.breakerState()?.kind === 'open' ? undefined : this.#phase",
    replace: 'return this.#phase',
  },
  {
    id: 'budget-free',
    invariant: 'protect',
    what: 'retries cost the budget nothing',
    file: 'packages/core/src/protect/start-limits.ts',
    find: 'if (retryBudget !== undefined) this.#budget.take(nowMs, retryBudget)',
    replace: '',
  },
  {
    id: 'rate-free',
    invariant: 'protect',
    what: 'starts cost the rate nothing',
    file: 'packages/core/src/protect/start-limits.ts',
    find: 'if (ratePerSecond !== undefined) this.#rate.take(nowMs, rampedRate(ratePerSecond, share))',
    replace: '',
  },
  {
    id: 'refused-not-woken',
    invariant: 'I9',
    what: 'nobody asks again for a start that was refused',
    file: PROTECTION,
    find: 'this.#timer.wakeAt(this.#startableAtMs(kind))',
    replace: 'void kind',
  },
  {
    id: 'breaker-forgotten',
    invariant: 'protect',
    what: "the breaker's state does not survive a restart (scenario 19)",
    file: PROTECTION,
    find: 'this.#breaker.restore(state, breaker)',
    replace: '',
    test: ACCEPTANCE,
  },
  {
    id: 'stale-outcomes',
    invariant: 'protect',
    what: 'calls that began before the state did count for it (B3)',
    file: BREAKER,
    find: "if (phase !== this.#phase || state.kind === 'open') return",
    replace: "if (state.kind === 'open') return",
    test: 'packages/core/test/protect/breaker.test.ts',
  },
  {
    id: 'poisoned-probes',
    invariant: 'protect',
    what: 'one event may fill the window of the probing (scenario 19)',
    file: 'packages/core/src/protect/probing.ts',
    find: 'if (this.#seen.has(outcome.position)) return\n',
    replace: '',
    test: 'packages/core/test/protect/breaker.test.ts',
  },
]
