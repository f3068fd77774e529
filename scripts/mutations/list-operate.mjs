const REQUEUE = 'packages/core/src/fail/requeue.ts'
const REQUEUE_TEST = 'packages/core/test/fail/requeue.test.ts'
const COMPLETE = 'packages/core/src/operate/complete-edit.ts'

/** Redrives and edits. @type {import('./list.mjs').Mutation[]} */
export const operateMutations = [
  {
    id: 'redrive-without-job-id',
    test: REQUEUE_TEST,
    invariant: 'I8',
    what: 'a redrive that starts again queues what it had queued before',
    file: REQUEUE,
    find: 'if (item.redrives.at(-1)?.jobId === request.jobId) {',
    replace: 'if (false) {',
  },
  {
    id: 'redrive-without-place',
    test: REQUEUE_TEST,
    invariant: 'I3',
    what: 'a dead event put back into a held key does not stop a release under way',
    file: REQUEUE,
    find: 'isWaitingForPerson || (await this.#keepPlace(written.entry, request))',
    replace: 'isWaitingForPerson || true',
  },
  {
    id: 'redrive-place-not-kept-again',
    test: REQUEUE_TEST,
    invariant: 'I3',
    what: 'a redrive that starts again does not see to the place of what it had written before',
    file: REQUEUE,
    find: 'const placed = !isUntouched || item.outOfOrder === true || (await this.#keepPlace(entry, request))',
    replace: 'const placed = isUntouched || true',
  },
  {
    id: 'edit-without-intent',
    invariant: 'I2',
    what: 'an edit resolves the original before the new item exists, and writes no plan',
    file: COMPLETE,
    find: 'await createNew(control.ledger, intents, intent)\n  const original = await resolveOriginal(control.ledger, intent, nowMs)',
    replace:
      'const original = await resolveOriginal(control.ledger, intent, nowMs)\n  await createNew(control.ledger, intents, intent)',
    also: [
      {
        file: 'packages/core/src/operate/edit-failure.ts',
        find: 'planned = await intents.plan(lock, plan)',
        replace: 'planned = { intent: plan, version: lock.version }',
      },
    ],
  },
  {
    id: 'edit-resolves-first',
    invariant: 'I3',
    what: 'an edit resolves the original before the new item exists: its key may flow in between',
    file: COMPLETE,
    find: 'await createNew(control.ledger, intents, intent)\n  const original = await resolveOriginal(control.ledger, intent, nowMs)',
    replace:
      'const original = await resolveOriginal(control.ledger, intent, nowMs)\n  await createNew(control.ledger, intents, intent)',
  },
  {
    id: 'edit-over-change',
    invariant: 'I9',
    what: 'an edit resolves an original that somebody else changed since it was seen',
    file: COMPLETE,
    find: 'if (entry.version !== plan.originalVersion) return undefined\n',
    replace: '',
  },
]
