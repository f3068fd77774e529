/**
 * Mutations of the code that keeps an invariant: each takes one rule away, and the simulation must notice.
 *
 * `find` is in `file` exactly once, character by character; `also` are further replacements of the same mutation.
 * `equivalent` says why one cannot be noticed; `test` names a test file that covers what no seed reaches.
 *
 * @typedef {{ file: string, find: string, replace: string }} Edit
 * @typedef {Edit & { id: string, invariant: string, what: string, also?: Edit[], equivalent?: string, test?: string }} Mutation
 */

import { aggregateMutations } from './list-aggregate.mjs'
import { consumeMutations } from './list-consume.mjs'
import { functionMutations } from './list-functions.mjs'
import { holdMutations } from './list-hold.mjs'
import { limitMutations } from './list-limits.mjs'
import { operateMutations } from './list-operate.mjs'
import { policyMutations } from './list-policy.mjs'
import { protectMutations } from './list-protect.mjs'
import { queueMutations } from './list-queue.mjs'
import { retryMutations } from './list-retry.mjs'
import { workerMutations } from './list-workers.mjs'

/** @type {Mutation[]} */
export const mutations = [
  ...holdMutations,
  ...retryMutations,
  ...consumeMutations,
  ...operateMutations,
  ...policyMutations,
  ...protectMutations,
  ...queueMutations,
  ...limitMutations,
  ...aggregateMutations,
  ...workerMutations,
  ...functionMutations,
]
