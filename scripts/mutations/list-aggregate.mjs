const ACCEPTANCE = 'packages/testing/test/acceptance'

/** Aggregates and copies. @type {import('./list.mjs').Mutation[]} */
export const aggregateMutations = [
  {
    id: 'copies-saved-beyond-the-base',
    test: 'packages/core/test/consume/copies.test.ts',
    invariant: 'I2',
    what: 'a checkpoint knows marks of records that come again: originals are taken for copies of themselves (K2)',
    file: 'packages/core/src/consume/copies.ts',
    find: 'this.advance(base)\n',
    replace: 'this.advance(base + Number.MAX_SAFE_INTEGER)\n',
  },
  {
    id: 'stray-aggregate-handled',
    test: `${ACCEPTANCE}/aggregates.test.ts`,
    invariant: 'I3',
    what: 'an aggregate counts though some of it lies outside its shard',
    file: 'packages/core/src/aggregate/expander.ts',
    find: 'isStray: !this.#range.holdsAllOf(aggregate)',
    replace: 'isStray: false',
  },
  {
    id: 'checkpoint-without-place-in-aggregate',
    test: `${ACCEPTANCE}/aggregates.test.ts`,
    invariant: 'I2',
    what: 'a checkpoint within an aggregate stands at its first record',
    file: 'packages/core/src/consume/shard-progress.ts',
    find: 'return recordPosition(lowest, Math.max(0, this.#subs[index] as number))',
    replace: 'return recordPosition(lowest)',
  },
  {
    id: 'torn-aggregate-accepted',
    test: 'packages/core/test/produce/aggregating-log.test.ts',
    invariant: 'I2',
    what: 'an aggregate that landed where readers pass over it counts as stored',
    file: 'packages/core/src/produce/aggregating-log.ts',
    find: 'pack.hashes === undefined || result.shardId === pack.shardId',
    replace: 'pack.hashes === undefined || result.ok',
  },
  {
    id: 'lane-in-two-aggregates-of-a-call',
    test: 'packages/core/test/produce/aggregating-log.test.ts',
    invariant: 'I3',
    what: 'a key is in two records of one append, of which the first may be refused alone',
    file: 'packages/core/src/produce/pack-round.ts',
    find: 'if (isKnown || !this.#mayOpen(entry)) return undefined',
    replace: 'if (!this.#mayOpen(entry)) return undefined',
  },
]
