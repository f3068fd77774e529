import type { Right } from '../../src/index.ts'

/** A right that no call of ours needs, or a call of ours that no role allows, and why that is right. */
export interface Exception {
  /** `kinesis:GetRecords`. */
  readonly action: string
  /** `allowed`: a role has it although no call needs it; `made`: a call needs it although no role has it. */
  readonly is: 'allowed' | 'made'
  readonly why: string
}

export interface Comparison {
  /** Needed, and not allowed. */
  readonly refused: readonly Right[]
  /** Actions that are allowed, and that nothing needs. */
  readonly unneeded: readonly string[]
  /** Exceptions that nothing is an exception of. */
  readonly stale: readonly string[]
}

/** Both ways. Of resources, those with `*` cover what begins and ends like them. */
export function compareRights(
  allowed: readonly Right[],
  needed: readonly Right[],
  exceptions: readonly Exception[],
): Comparison {
  const excepted = (is: Exception['is'], action: string) =>
    exceptions.some((exception) => exception.is === is && exception.action === action)
  const covers = (one: Right, other: Right) =>
    one.action === other.action && patternOf(one.resource).test(other.resource)
  const refused = needed.filter((right) => !allowed.some((one) => covers(one, right)))
  const unneeded = allowed.filter((right) => !needed.some((one) => covers(right, one)))
  const actions = (rights: readonly Right[]) => [...new Set(rights.map(({ action }) => action))].sort()
  const isStale = ({ action, is }: Exception) =>
    !(is === 'made' ? refused : unneeded).some((right) => right.action === action)
  return {
    refused: refused.filter(({ action }) => !excepted('made', action)),
    unneeded: actions(unneeded).filter((action) => !excepted('allowed', action)),
    stale: exceptions.filter(isStale).map(({ action, is }) => `${is} ${action}`),
  }
}

function patternOf(resource: string): RegExp {
  return new RegExp(`^${resource.split('*').map(escaped).join('.*')}$`)
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
