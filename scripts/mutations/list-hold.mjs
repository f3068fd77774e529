const HOLDS = 'packages/core/src/fail/holds.ts'
const LIVE = 'packages/core/src/consume/live-path.ts'
const FAILED = 'packages/core/src/consume/live-failures.ts'
const DRAIN = 'packages/core/src/fail/lane-drain.ts'
const SWEEPER = 'packages/core/src/fail/sweeper.ts'

/** The hold protocol, rule by rule. @type {import('./list.mjs').Mutation[]} */
export const holdMutations = [
  {
    id: 'release-without-tail',
    invariant: 'I3',
    what: 'a key is released whatever its tail is now (rule 8)',
    file: HOLDS,
    find: "expect: before === undefined ? 'absent' : before.version }], outcome",
    replace:
      "expect: next.state === 'open' ? 'any' : before === undefined ? 'absent' : before.version }], outcome",
  },
  {
    id: 'divert-without-ledger',
    invariant: 'I2',
    what: 'a diverted event gets no ledger item (rule 4b)',
    file: FAILED,
    find: 'const item = await this.#standing(task, waiting, entered)\n    metrics.diverted',
    replace: 'const item = waiting\n    metrics.diverted',
    also: [
      {
        file: FAILED,
        find: 'holds.planExtend(name, entry, meta.position, meta.shardId),\n          await ledger.planCreate(this.laneId(task), waiting, task.bytes),',
        replace: 'holds.planExtend(name, entry, meta.position, meta.shardId),',
      },
    ],
  },
  {
    id: 'delete-instead-of-open',
    invariant: 'I3',
    what: 'a released hold is deleted: no watermark stays (rule 8, H4)',
    file: HOLDS,
    find: 'return await writeOne(this.#engine.table, this.planRelease(name, before))',
    replace:
      'if (await this.forget(name, before)) return { ok: true, entry: before }\n    return { ok: false, current: await this.read(name) }',
    also: [
      {
        file: DRAIN,
        find: 'planRelease: () =>\n        first.isLast',
        replace: 'planRelease: () =>\n        false',
      },
    ],
  },
  {
    id: 'tail-falls-on-divert',
    invariant: 'I3',
    what: 'a diverted event sets the tail even when it is before it (rule 4a)',
    file: FAILED,
    find: 'if (entry.hold.tail < meta.position) {',
    replace: 'if (entry.hold.tail !== meta.position) {',
  },
  {
    id: 'tail-falls-on-hold',
    equivalent:
      'with one owner a stored hold is loaded at the start and its events are diverted, never handled; one that comes late is a first write, whose tail is its own event; only a second reader that runs on could tell',
    invariant: 'I3',
    what: 'a hold taken over from an older epoch forgets its tail (rule 3a)',
    file: HOLDS,
    find: "before?.hold.state === 'held' && before.hold.tail > place.position ? before.hold.tail : place.position",
    replace: 'place.position',
  },
  {
    id: 'ledger-before-hold',
    invariant: 'I3',
    what: 'a failed event enters the ledger before its key is held (rule 3, order)',
    file: FAILED,
    find: 'const lane = isShard ? { key: name } : meta\n',
    replace: 'const lane = isShard ? { key: name } : meta\n    const stands = await this.#put(task, item)\n',
    also: [
      { file: FAILED, find: 'const stands = await this.#put(task, item)\n    notify({', replace: 'notify({' },
    ],
  },
  {
    id: 'ledger-before-tail',
    invariant: 'I9',
    what: 'a diverted event enters the ledger before the tail is raised (rule 4, order)',
    file: FAILED,
    find: "const [extended, created] = await this.#persist('diverting an event', async () =>\n        writeInOrder(\n          engine.table,\n          holds.planExtend(name, entry, meta.position, meta.shardId),\n          await ledger.planCreate(this.laneId(task), waiting, task.bytes),\n        ),",
    replace:
      "const created = await this.#put(task, waiting)\n      const [extended] = await this.#persist('diverting an event', async () =>\n        writeInOrder(engine.table, holds.planExtend(name, entry, meta.position, meta.shardId)),",
    also: [
      {
        file: FAILED,
        find: 'entered = created\n    }',
        replace: 'entered = { ok: false, current: { item: created, version: 0 } }\n    }',
      },
    ],
  },
  {
    id: 'open-holds-expire-at-once',
    invariant: 'I3',
    what: 'the sweeper forgets open holds at once, whatever the checkpoint (H4)',
    file: SWEEPER,
    find: 'if (ageMs > WATERMARK_MS && checkpointPassed(hold.shardId, hold.tail)) await',
    replace: 'await',
  },
  {
    id: 'no-sweeper',
    invariant: 'I9',
    what: 'lost tokens are never sent again (rule 10)',
    file: 'packages/core/src/runtime/subscription-runner.ts',
    find: '      new Sweeper(this.parts, this.#handOver).run(),\n',
    replace: '',
  },
  {
    id: 'release-before-tail-event-is-written',
    invariant: 'I3',
    what: 'a key is released although the ledger item of its tail is still to come (rule 6)',
    file: DRAIN,
    find: "if (last === undefined && !checkpointPassed(shardId, tail)) return { kind: 'soon' }\n",
    replace: '',
  },
  {
    id: 'release-waits-for-tail-event-for-ever',
    equivalent:
      'with one owner an event whose tail was raised is not resolved, so the next start reads it again and writes its item, unless retention removed it in between, which no seed is long enough for',
    invariant: 'I9',
    what: 'a tail whose event never comes keeps its key held, though the checkpoint is past it (rule 6)',
    file: DRAIN,
    find: 'if (last === undefined && !checkpointPassed(shardId, tail)) return',
    replace: 'if (last === undefined) return',
  },
  {
    id: 'release-with-unresolved-tail',
    invariant: 'I3',
    what: 'a tail that came into the ledger after the look that found nothing does not stop the release (rule 6)',
    file: DRAIN,
    find: 'if (last !== undefined && !isFinal(last.item)) return undefined\n',
    replace: '',
  },
  {
    id: 'no-epoch-on-holds',
    invariant: 'I3',
    what: "an older epoch's hold passes for the owner's own (rule 3a)",
    file: FAILED,
    find: "if (entry?.hold.state === 'held' && entry.hold.epoch === epoch) {",
    replace: "if (entry?.hold.state === 'held') {",
  },
  {
    id: 'lo-not-raised',
    equivalent:
      'with one owner a hold comes up after the start only by a late first write, whose low bound is an event handled well since: its ledger item does not exist, so the drain finds the right one; only a second reader that runs on could tell',
    invariant: 'I3',
    what: 'a hold taken over from an older epoch keeps its low bound (rule 3a)',
    file: HOLDS,
    find: 'lo: place.position,',
    replace: "lo: before?.hold.state === 'held' ? before.hold.lo : place.position,",
  },
  {
    id: 'token-not-resent',
    equivalent:
      'the sweeper sends the token 30 seconds later (rule 4c says so): nothing is lost or stuck, only later',
    invariant: 'I9',
    what: 'the event at the low bound comes by again after a crash and sends no token (rule 4c)',
    file: FAILED,
    find: 'if (meta.position === entry.hold.lo && item.parked !== true && !isFinal(item))',
    replace: 'if (false)',
  },
  {
    id: 'no-cut',
    invariant: 'I3',
    what: 'dead-letter-key lets the waiting tail run',
    file: DRAIN,
    find: "await this.#persist('cutting a key', () => this.#parts.holds.cut(name, held))\n",
    replace: 'await this.#killDoomed(next)\n',
  },
  {
    id: 'dead-before-cut',
    invariant: 'I3',
    what: 'dead-letter-key writes the event dead, then the cut',
    file: DRAIN,
    find: "await this.#persist('cutting a key', () => this.#parts.holds.cut(name, held))\n",
    replace:
      "await this.#killDoomed(next)\n      await this.#persist('cutting a key', () => this.#parts.holds.cut(name, held))\n",
  },
  {
    id: 'late-item-left-waiting',
    test: 'packages/testing/test/behaviour/review-order.test.ts',
    invariant: 'I9',
    what: 'the sweeper leaves an event that waits where no lane is held any more as it is (rule 10)',
    file: SWEEPER,
    find: 'if ((await this.#placeOf(item)) !== undefined) return\n    await this.#send(itemToken(item))\n',
    replace: '',
  },
  {
    id: 'hold-of-later-owner',
    invariant: 'I3',
    what: 'a former owner that is slow rather than dead writes over the hold of a later one (H3)',
    file: HOLDS,
    find: 'if (entry !== undefined && entry.hold.epoch > this.#epoch)',
    replace: 'if (false)',
  },
  {
    id: 'repeated-token-removed',
    invariant: 'I9',
    what: "a lane's only token is removed when it is delivered a second time while the lane is drained",
    file: 'packages/core/src/fail/retry-consumer.ts',
    find: "return underWay.messageId === messageId ? 'repeated' : 'done'",
    replace: "return 'done'",
  },
  {
    id: 'hold-forgotten-by-old-look',
    invariant: 'I3',
    what: 'a look that found no hold makes a hold that was written meanwhile forgotten (rule 1)',
    file: HOLDS,
    find: 'if (this.#cache.get(name) === known) this.#cache.delete(name)',
    replace: 'this.#cache.delete(name)',
  },
  {
    id: 'holds-not-loaded',
    invariant: 'I3',
    what: 'a start does not load the holds (rule 1)',
    file: 'packages/core/src/runtime/subscription-runner.ts',
    find: '    await this.parts.holds.load()\n',
    replace: '',
  },
  {
    id: 'live-path-ignores-holds',
    invariant: 'I3',
    what: 'the live path does not look whether the key is held (rule 2)',
    file: LIVE,
    find: "return entry.hold.state === 'open' ? NOTHING : { kind: 'held', name, entry }",
    replace: 'return NOTHING',
  },
  {
    id: 'resolved-before-lo-handled-again',
    invariant: 'I3',
    what: 'the live path does not skip what is before the low bound (rule 2)',
    file: LIVE,
    find: 'if (task.meta.position < entry.hold.lo) return DONE',
    replace: '',
  },
]
