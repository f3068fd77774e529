const INTAKE = 'packages/core/src/consume/queue-intake.ts'
const PROGRESS = 'packages/core/src/consume/queue-progress.ts'
const SIMULATION = 'packages/testing/test/queue-simulation.test.ts'

/** Queues have a simulation of their own. @type {import('./list.mjs').Mutation[]} */
export const queueMutations = [
  {
    id: 'queue-ack-first',
    invariant: 'I2',
    what: 'a message is acknowledged before it is handled or in the ledger',
    file: INTAKE,
    find: "entry.state = 'running'\n",
    replace: "entry.state = 'running'\n    this.#acks.add(entry)\n",
    test: SIMULATION,
  },
  {
    id: 'queue-no-look',
    invariant: 'I3',
    what: 'a message that comes again is not looked for in the ledger',
    file: INTAKE,
    find: 'isReplay: isSuspect || receiveCount > 1 || sentAtMs <= this.#startedAtMs',
    replace: 'isReplay: false',
    test: SIMULATION,
  },
  {
    id: 'queue-twice-at-once',
    invariant: 'I3',
    what: 'a message that comes again while it is under way is begun a second time',
    file: INTAKE,
    find: 'if (known !== undefined) {',
    replace: 'if (known !== undefined && delivery.receiveCount < 0) {',
    test: SIMULATION,
  },
  {
    id: 'queue-purge-unmarked',
    invariant: 'I9',
    what: 'a held group waits for a message that was purged',
    file: PROGRESS,
    find: 'position <= this.#purgedUpTo) return true',
    replace: "position <= this.#purgedUpTo) return position === ''",
    test: 'packages/core/test/consume/queue-progress.test.ts',
  },
  {
    id: 'queue-passed-early',
    invariant: 'I3',
    what: 'whatever was taken in counts as gone from the queue',
    file: PROGRESS,
    find: 'return this.#goneUpTo !== undefined',
    replace:
      'if (this.#latest !== undefined && position <= this.#latest) return true\n    return this.#goneUpTo !== undefined',
    test: SIMULATION,
  },
]
