const RETRY = 'packages/core/src/fail/retry-path.ts'
const LEDGER = 'packages/core/src/fail/ledger.ts'
const LIVE = 'packages/core/src/consume/live-path.ts'
const RUNNER = 'packages/core/src/handle/handler-runner.ts'

/** Attempts and the failure ledger. @type {import('./list.mjs').Mutation[]} */
export const retryMutations = [
  {
    id: 'result-unconditional',
    invariant: 'I3',
    what: "an attempt's result is written whatever stands there now (rule 7)",
    file: LEDGER,
    find: 'this.#planWrite(refOf(item).laneId, item, before.version, {',
    replace:
      "this.#planWrite(refOf(item).laneId, item, (item.claimedBy === undefined ? 'any' : before.version) as never, {",
  },
  {
    id: 'claim-unconditional',
    invariant: 'I3',
    what: 'an event is claimed whatever stands there now',
    file: LEDGER,
    find: 'this.#planWrite(refOf(item).laneId, item, before.version, {',
    replace:
      "this.#planWrite(refOf(item).laneId, item, (item.claimedBy !== undefined ? 'any' : before.version) as never, {",
  },
  {
    id: 'result-over-final',
    invariant: 'I8',
    what: 'a refused result is written over what somebody else decided (rule 7)',
    file: RETRY,
    find: 'if (!written.ok) {\n      if (isSameEnd(written.current?.item, next))',
    replace:
      'if (!written.ok && written.current !== undefined) return await this.#settle(written.current, next)\n    if (!written.ok) {\n      if (isSameEnd(written.current?.item, next))',
  },
  {
    id: 'item-put-unconditional',
    invariant: 'I2',
    what: 'the live path writes an item over the one that stands there (rules 3b and 4b)',
    file: LEDGER,
    find: "this.#planWrite(laneId, complete, 'absent', {",
    replace: "this.#planWrite(laneId, complete, 'any' as never, {",
  },
  {
    id: 'payload-after-item',
    invariant: 'I2',
    what: 'the payload is written after the ledger item',
    file: LEDGER,
    find: 'puts: [this.#payloadPut(laneId, item, payload), ...write.puts]',
    replace:
      "puts: write.puts,\n          outcome: (result) => {\n            this.#ports.table.put(this.#payloadPut(laneId, item, payload).item, 'any').catch(() => {})\n            return write.outcome(result)\n          }",
  },
  {
    id: 'before-due',
    invariant: 'I5',
    what: 'a retry does not look whether it is due',
    file: RETRY,
    find: 'if (item.dueAtMs !== undefined && item.dueAtMs > nowMs) return',
    replace: 'if (false) return',
  },
  {
    id: 'claim-of-later-owner',
    test: 'packages/testing/test/behaviour/fences.test.ts',
    invariant: 'I9',
    what: "a former owner takes a later owner's claim for a dead process's",
    file: RETRY,
    find: "if (item.claimedBy !== undefined && Number(item.claimedBy.split(':', 1)[0]) > epoch)",
    replace: 'if (false)',
  },
  {
    id: 'claim-not-looked-at',
    invariant: 'I3',
    what: 'an attempt under way does not keep another one of the same event from starting',
    file: RETRY,
    find: 'if (claimedHere && item.claimedUntilMs !== undefined && item.claimedUntilMs > nowMs) {',
    replace: 'if (false) {',
  },
  {
    id: 'place-not-looked-at-again',
    test: 'packages/core/test/fail/retry-path.test.ts',
    invariant: 'I3',
    what: 'after a wait for its turn an event is handled though an earlier one of its lane was redriven meanwhile',
    file: RETRY,
    find: 'if (mayBeLate && lane !== undefined && !lane.isStillFirst())',
    replace: 'if (false)',
  },
  {
    id: 'attempts-in-memory',
    invariant: 'I9',
    what: 'the attempt count is not written before the handler is called',
    file: RETRY,
    find: "const written = await persist(engine.clock, stopping, logger, 'claiming a failed event', () =>\n      ledger.replace(entry, item),\n    )",
    replace:
      "const written = await persist(engine.clock, stopping, logger, 'claiming a failed event', async () => ({ ok: true as boolean, entry: { item, version: entry.version }, current: entry }))",
  },
  {
    id: 'late-result-counts',
    invariant: 'I9',
    what: 'a handler that comes back after its time was up counts as successful',
    file: 'packages/core/src/handle/running-call.ts',
    find: 'if (this.#clock.monotonicMs() < this.deadlineMs) this.#end(false)',
    replace: 'this.#end(false)',
  },
  {
    id: 'undecodable-dropped',
    invariant: 'I9',
    what: 'a record that is no event is passed over in silence',
    file: RUNNER,
    find: 'return failedResult(attempt, start, 0, { thrown: error, event: undefined, isHopeless: true })',
    replace: 'return okResult(attempt, start, error === undefined ? 1 : 0)',
  },
  {
    id: 'live-poison-never-given-up',
    invariant: 'I9',
    what: 'the live path calls a handler again however often it killed the process',
    file: LIVE,
    find: 'turn.crashes >= policy.failure.maxCrashes',
    replace: 'turn.crashes >= 1_000_000',
  },
  {
    id: 'retry-poison-never-given-up',
    invariant: 'I9',
    what: 'a retry calls a handler again however often it killed the process',
    file: RETRY,
    find: 'if (crashes >= policy.failure.maxCrashes) return',
    replace: 'if (false) return',
  },
  {
    id: 'no-start-marker',
    invariant: 'I9',
    what: 'the start marker is not written',
    file: 'packages/core/src/consume/crash-marker.ts',
    find: 'await this.#write(event, deaths)\n      const survived',
    replace: 'const survived',
  },
  {
    id: 'final-overwritten-by-replay',
    invariant: 'I9',
    what: "a replayed event's end is written over a decision that stands",
    file: 'packages/core/src/consume/live-failures.ts',
    find: 'if (isFinal(known.item)) return\n',
    replace: '',
  },
]
