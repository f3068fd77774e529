import type { StandardSchemaV1 } from '@standard-schema/spec'

/** One file changed by one commit: the data of an event. */
export interface GitChange {
  /** The partition key: see `pathText`. */
  readonly path: string
  /** The path's exact bytes, where `path` is a stand-in. */
  readonly pathBase64?: string
  readonly commit: string
  /** The how-manieth change of its path, from 1, in the order of the log. */
  readonly n: number
  /** Git's letter: A added, M modified, D deleted, T type changed. */
  readonly status: string
  /** `Name <address>`. */
  readonly author: string
  /** RFC 3339, UTC. The beginning of 1970 where the commit has no time, or none that can be said so. */
  readonly authoredAt: string
}

/** Events that are not changes are dead-lettered at once, with the field that is wrong. */
export const gitChangeSchema: StandardSchemaV1<unknown, GitChange> = {
  '~standard': {
    version: 1,
    vendor: 'eddy-examples',
    validate(value) {
      const problem = problemOf(value)
      return problem === undefined ? { value: value as GitChange } : { issues: [{ message: problem }] }
    },
  },
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'a change is an object'
  const change = value as Record<string, unknown>
  for (const field of ['path', 'commit', 'status', 'author', 'authoredAt']) {
    if (typeof change[field] !== 'string') return `"${field}" must be a string, not ${typeof change[field]}`
  }
  if (!Number.isSafeInteger(change.n) || (change.n as number) < 1) {
    return `"n" must be a whole number from 1, not ${JSON.stringify(change.n)}`
  }
  return undefined
}
