const APPEND = 'packages/core/src/limits/limited-append.ts'
const BUDGET = 'packages/core/src/limits/shard-budget.ts'
const CONTRACT = 'packages/testing/test/limits-contract.test.ts'
const BEHAVIOUR = 'packages/testing/test/behaviour/limits.test.ts'

/** The simulation's streams have no limits: their suite notices. @type {import('./list.mjs').Mutation[]} */
export const limitMutations = [
  {
    id: 'limits-two-seconds',
    invariant: 'limits',
    what: 'a shard that rested takes two seconds of its rate at once',
    file: 'packages/core/src/limits/token-bucket.ts',
    find: 'const WINDOW_MS = 1_000',
    replace: 'const WINDOW_MS = 2_000',
    test: CONTRACT,
  },
  {
    id: 'limits-key-overtaken',
    invariant: 'I3',
    what: 'after a throttled entry a later one of its key is stored',
    file: APPEND,
    find: 'if (refusal !== undefined) this.#closedKeys',
    replace: "if (refusal?.code === 'internal') this.#closedKeys",
    test: CONTRACT,
  },
  {
    id: 'limits-failed-inside-overtaken',
    invariant: 'I3',
    what: 'after an entry that failed inside a later one of its key is stored',
    file: APPEND,
    find: 'if (refusal !== undefined) this.#closedKeys',
    replace: "if (refusal?.code === 'throttled') this.#closedKeys",
    test: CONTRACT,
  },
  {
    id: 'limits-copy-pays',
    invariant: 'limits',
    what: 'a copy of what is stored pays again',
    file: APPEND,
    find: '    spent.budget.giveBackWrite(spent.bytes)\n',
    replace: '    if (!result.ok) spent.budget.giveBackWrite(spent.bytes)\n',
    test: CONTRACT,
  },
  {
    id: 'limits-refused-read-pays',
    invariant: 'limits',
    what: 'a refused read pays too, so that who asks on and on never reads',
    file: BUDGET,
    find: 'if (waitMs === 0) this.#reads.take(1, nowMs)',
    replace: 'this.#reads.take(1, nowMs)',
    test: CONTRACT,
  },
  {
    id: 'limits-full-read-free',
    invariant: 'limits',
    what: 'after as much as a read may return the next one waits a second less',
    file: BUDGET,
    find: 'if (!isFull) return',
    replace: 'if (isFull || !isFull) return',
    test: CONTRACT,
  },
  {
    id: 'limits-polite-for-ever',
    invariant: 'I4',
    what: 'a reader beside greedy ones always comes late, and never reads',
    file: 'packages/core/src/consume/read-pace.ts',
    find: ' / 2 ** (refusals - 1)',
    replace: '',
    test: BEHAVIOUR,
  },
  {
    id: 'limits-unpaced',
    invariant: 'limits',
    what: 'a shard is read as fast as it answers, and others of it are refused',
    file: 'packages/core/src/consume/shard-reads.ts',
    find: 'if (this.#pace !== undefined) await this.#turn()',
    replace: 'if (this.#pace === undefined) await this.#turn()',
    test: BEHAVIOUR,
  },
]
