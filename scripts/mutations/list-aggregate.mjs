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
  {
    id: 'map-kept-over-removed-aggregates',
    test: `${ACCEPTANCE}/aggregates.test.ts`,
    invariant: 'I2',
    what: 'after a gap of aggregates a restored map counts on as if each had held one record',
    file: 'packages/core/src/consume/shard-progress.ts',
    find: 'if (this.#hasAggregates) this.#map.forgetAbove()',
    replace: '',
  },
  {
    id: 'gap-behind-aggregate-found-again',
    test: 'packages/core/test/consume/shard-progress.test.ts',
    invariant: 'I2',
    what: 'a checkpoint behind a gap stands where the aggregate before the gap ended',
    file: 'packages/core/src/consume/shard-progress.ts',
    find: '    this.#readTo = undefined\n    this.#keptFrom',
    replace: '    this.#keptFrom',
  },
  {
    id: 'map-of-whole-records-over-aggregate',
    test: 'packages/core/test/consume/shard-progress.test.ts',
    invariant: 'I2',
    what: 'a map that counted an aggregate as one record is laid over its records',
    file: 'packages/core/src/consume/shard-progress.ts',
    find: '      this.#map.forgetAbove()\n      this.#hasAggregates = true',
    replace: '      this.#hasAggregates = true',
  },
  {
    id: 'stuck-after-aggregate',
    test: 'packages/core/test/consume/shard-reader.test.ts',
    invariant: 'I9',
    what: 'behind the window a read that ends an aggregate without a record is made again, for ever',
    file: 'packages/core/src/consume/shard-reader.ts',
    find: "history.expiredRecords > 0 || from.at === 'at_sub_sequence_number'",
    replace: 'history.expiredRecords > 0',
  },
  {
    id: 'marks-of-resolved-not-told',
    test: `${ACCEPTANCE}/copies.test.ts`,
    invariant: 'I3',
    what: 'the mark of a record that was resolved before the start is not learned: its copy passes (K1)',
    file: 'packages/core/src/consume/shard-runner.ts',
    find:
      '    const repeated = this.#sieve.repeats(record, this.#progress.admitted - 1)\n' +
      '    if (ordinal === undefined) return\n',
    replace:
      '    if (ordinal === undefined) return\n' +
      '    const repeated = this.#sieve.repeats(record, this.#progress.admitted - 1)\n',
  },
  {
    id: 'marks-of-strays-kept',
    test: `${ACCEPTANCE}/aggregates.test.ts`,
    invariant: 'I2',
    what: 'marks in an aggregate that is passed over are remembered: what is sent again is dropped as a copy',
    file: 'packages/core/src/consume/record-sieve.ts',
    find: "      return 'strays'\n",
    replace:
      '      const mark = readMark(record.data)\n' +
      '      if (mark !== undefined) this.#copies.isCopy(mark, ordinal, record.arrivedAtMs)\n' +
      "      return 'strays'\n",
  },
  {
    id: 'copies-of-parents-forgotten',
    test: `${ACCEPTANCE}/copies.test.ts`,
    invariant: 'I3',
    what: 'a child of a split knows no marks of its parent',
    file: 'packages/core/src/consume/shard-runner.ts',
    find: 'new Copies(...options.copiesOfParents, before?.copies)',
    replace: 'new Copies(before?.copies)',
  },
]
