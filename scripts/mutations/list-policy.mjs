/** Policies that change while they are at work. @type {import('./list.mjs').Mutation[]} */
export const policyMutations = [
  {
    id: 'policy-shard-of-mixed',
    invariant: 'I3',
    what: 'an event that was taken in under another policy holds its shard, though others of it run beside it',
    file: 'packages/core/src/consume/live-failures.ts',
    find: "if (blocks === 'key' || !task.isSharded)",
    replace: "if (blocks === 'key')",
  },
  {
    id: 'policy-free-holds',
    invariant: 'I3',
    what: 'an event that was let run while nothing blocked holds its key when it fails',
    file: 'packages/core/src/consume/live-failures.ts',
    find: "if (blocks === 'nothing' || task.isFree === true) {",
    replace: "if (blocks === 'nothing') {",
  },
]
