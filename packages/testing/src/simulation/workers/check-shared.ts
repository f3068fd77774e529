import type { TableItem } from '@eddy/core'
import { Violation } from '../violation.ts'

/**
 * I9: at rest the leases of what there is to read are shared out evenly, among those that live.
 *
 * @param numbers - of workers, by the id that they have in the table
 */
export function checkShared(
  leases: readonly TableItem[],
  numbers: ReadonlyMap<string, number>,
  living: readonly number[],
): void {
  const counts = new Map(living.map((number) => [number, 0]))
  for (const { sort, value } of leases) {
    const { owner = '', isDone } = value as { owner?: string; isDone?: boolean }
    if (!sort.startsWith('shard/') || isDone === true) continue
    const number = numbers.get(owner)
    if (number === undefined || !counts.has(number))
      throw new Violation('I9', `${sort} is owned by ${owner === '' ? 'nobody' : owner} at rest`)
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  const sorted = [...counts.values()].sort((a, b) => a - b)
  if ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0) > 1)
    throw new Violation('I9', `leases are not balanced at rest: ${sorted.join(', ')}`)
}
