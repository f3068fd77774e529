const SHARD_RUNNER = 'packages/core/src/consume/shard-runner.ts'
const CHECKPOINT = 'packages/core/src/consume/checkpoint.ts'

/** Lanes, lineage and checkpoints. @type {import('./list.mjs').Mutation[]} */
export const consumeMutations = [
  {
    id: 'checkpoint-before-ledger',
    invariant: 'I2',
    what: 'an event counts as resolved before it is handled or in the ledger',
    file: SHARD_RUNNER,
    find: 'await this.#livePath.process(entry.task, giveSlot)\n      this.#resolve(entry.ordinal, entry.task.bytes.length)',
    replace:
      'this.#resolve(entry.ordinal, entry.task.bytes.length)\n      await this.#livePath.process(entry.task, giveSlot)',
  },
  {
    id: 'checkpoint-from-newest',
    invariant: 'I2',
    what: 'the checkpoint stands after the newest record instead of at the lowest unresolved one',
    file: 'packages/core/src/consume/shard-progress.ts',
    find: 'const lowest = this.#sequences[this.#map.base - this.#keptFrom]\n    if (lowest',
    replace: 'const lowest = undefined as string | undefined\n    if (lowest',
  },
  {
    id: 'runs-forgotten',
    invariant: 'I2',
    what: 'the resolved records above the lowest unresolved one are not saved',
    file: 'packages/core/src/consume/checkpoint-keeper.ts',
    find: 'runs: encodeRuns(this.#progress.runs()),',
    replace: 'runs: encodeRuns([]),',
  },
  {
    id: 'checkpoint-unfenced',
    invariant: 'I2',
    what: "a former owner's late checkpoint is written over the newer one (C4)",
    file: CHECKPOINT,
    find: "expected === undefined ? 'absent' : expected.version,",
    replace: "'any',",
  },
  {
    id: 'two-of-a-key-at-once',
    invariant: 'I3',
    what: 'events of one key run at the same time (L1)',
    file: 'packages/core/src/consume/lanes.ts',
    find: 'const lane = this.#lanes.get(laneName)\n',
    replace: 'const lane = undefined as Lane<T> | undefined\n',
  },
  {
    id: 'shard-lane-per-key',
    invariant: 'I3',
    what: "with blocks: 'shard' only events of one key wait for each other",
    file: SHARD_RUNNER,
    find: 'isSharded ? shardLaneName(shard.shardId) : laneName(meta)',
    replace: 'laneName(meta)',
  },
  {
    id: 'child-before-parent',
    invariant: 'I3',
    what: 'a child shard is read before its parents are done',
    file: 'packages/core/src/consume/intake.ts',
    find: 'if (!this.#mayStart(shard)) continue\n',
    replace: '',
  },
  {
    id: 'parent-ends-early',
    invariant: 'I3',
    what: 'a shard counts as ended before all its records are resolved',
    file: SHARD_RUNNER,
    find: 'async #finish(): Promise<boolean> {\n    await this.#allResolved()\n',
    replace: 'async #finish(): Promise<boolean> {\n',
  },
  {
    id: 'unsaved-bound-ignored',
    test: 'packages/testing/test/mutations-limits.test.ts',
    invariant: 'I6',
    what: 'intake goes on however many records the durable checkpoint does not know (C3)',
    file: SHARD_RUNNER,
    find: 'unsaved > MAX_UNSAVED_RECORDS - TAKE ||',
    replace: '',
  },
  {
    id: 'replay-not-known',
    invariant: 'I3',
    what: "with blocks: 'nothing' a replay does not look into the ledger",
    file: 'packages/core/src/consume/live-path.ts',
    find: "return entry === undefined ? NOTHING : { kind: 'known', entry }",
    replace: 'return NOTHING',
  },
]
