const BATCH = 'packages/core/src/invocations/record-batch.ts'
const NOTE = 'packages/core/src/invocations/batch-note.ts'
const NOTES_TEST = 'packages/aws/test/lambda/batch-notes.test.ts'
const HAND_BACK_TEST = 'packages/aws/test/lambda/hand-back.test.ts'
const KINESIS_TEST = 'packages/aws/test/lambda/kinesis.test.ts'

/** What a process that is invoked must keep to. @type {import('./list.mjs').Mutation[]} */
export const functionMutations = [
  {
    id: 'functions-lane-goes-on',
    invariant: 'I3',
    what: 'behind an event that is left, its lane goes on (T1)',
    file: 'packages/core/src/invocations/task-set.ts',
    find: '!this.#brokenLanes.has(entry.lane) && ',
    replace: '',
    test: NOTES_TEST,
  },
  {
    id: 'functions-no-care',
    invariant: 'I2',
    what: 'after a death events are not handled one at a time (F5)',
    file: NOTE,
    find: 'const isCareful = died || own?.value.isCareful === true || half !== undefined',
    replace: 'const isCareful = died && half !== undefined && own.value.isCareful',
    test: KINESIS_TEST,
  },
  {
    id: 'functions-no-look',
    invariant: 'I2',
    what: 'what comes again is not looked for in the ledger',
    file: BATCH,
    find: 'isReplay: note.isAgain',
    replace: 'isReplay: false',
    test: NOTES_TEST,
  },
  {
    id: 'functions-other-batch',
    invariant: 'I2',
    what: 'what is noted of a batch counts for another one (F4)',
    file: NOTE,
    find: 'own?.value.digest === digest ? resolvedIn(own.value.resolved)',
    replace: 'own !== undefined ? resolvedIn(own.value.resolved)',
    test: NOTES_TEST,
  },
  {
    id: 'functions-other-half',
    invariant: 'I2',
    what: 'the second half of a batch that died is not handled with care',
    file: NOTE,
    find: 'if (died && own.value.last !== last)',
    replace: 'if (died && own.value.last === last)',
    test: NOTES_TEST,
  },
  {
    id: 'functions-not-told',
    invariant: 'I3',
    what: 'an invocation goes on though a later one has its records (F3)',
    file: BATCH,
    find: 'isFenced ||= error instanceof Fenced',
    replace: 'isFenced ||= false',
    test: HAND_BACK_TEST,
  },
  {
    id: 'functions-no-wait',
    invariant: 'I3',
    what: 'an invocation begins before an earlier one with its records can have been told',
    file: BATCH,
    find: 'if (note.mayOverlap) await engine.clock.sleep(2 * PROGRESS_MS, stopping)',
    replace: '',
    test: HAND_BACK_TEST,
  },
  {
    id: 'functions-deaths-forgotten',
    invariant: 'I2',
    what: 'no death is put down to an event',
    file: 'packages/core/src/invocations/event-markers.ts',
    find: 'crashes: before,',
    replace: 'crashes: 0,',
    test: KINESIS_TEST,
  },
  {
    id: 'functions-late-in-its-place',
    invariant: 'I3',
    what: 'a rescued event takes its place though later ones of its key may have gone by (F7)',
    file: 'packages/core/src/invocations/rescue-events.ts',
    find: 'isPast || (mayBeLate && !isHeld)',
    replace: 'isPast',
    test: 'packages/aws/test/lambda/rescue.test.ts',
  },
  {
    id: 'functions-token-lost',
    invariant: 'I9',
    what: 'a retry token that could not be used in time is acknowledged',
    file: 'packages/core/src/invocations/use-tokens.ts',
    find: "if (fate === 'repeated') return true",
    replace: "if (fate === 'repeated' || fate === 'leave') return fate === 'repeated'",
    test: NOTES_TEST,
  },
]
