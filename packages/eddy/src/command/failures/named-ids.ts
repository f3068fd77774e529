import { FailureNotFoundError } from '@eddy/core'
import { RemoteError } from '../../client/remote-error.ts'
import type { CommandContext } from '../command-context.ts'
import { EXIT } from '../exit-code.ts'
import { printable } from '../format/printable.ts'
import { plural } from '../format/quantity.ts'

/** Ids looked for at a time. */
const LOOKS = 8

/** The ids of a command line, each once, and those of them that no failure has. */
export interface NamedIds {
  readonly ids: readonly string[]
  readonly missing: readonly string[]
}

/**
 * Looks for the failures that a command line names; says on stderr which do not exist, and lets the command end with
 * exit 3 at best then. Without ids (a set given by filters, which may be empty) nothing is asked.
 *
 * @throws FailureNotFoundError none of them exists
 */
export async function findNamed(context: CommandContext, named: readonly string[]): Promise<NamedIds> {
  const ids = [...new Set(named)]
  const missing: string[] = []
  for (let start = 0; start < ids.length; start += LOOKS) {
    const some = ids.slice(start, start + LOOKS)
    const exist = await Promise.all(some.map((id) => exists(context, id)))
    missing.push(...some.filter((_id, index) => exist[index] !== true))
  }
  if (missing.length === 0) return { ids, missing }
  if (missing.length === ids.length) throw new FailureNotFoundError(missing.join(', '))
  const verb = missing.length === 1 ? 'does' : 'do'
  await context.note(
    `${plural(missing.length, 'failure')} of ${ids.length} named ${verb} not exist: ${printable(missing.join(', '))}`,
  )
  context.exitWith(EXIT.partial)
  return { ids, missing }
}

/** A failure that is there but is not changed (dropped already, resolved, another filter) is no success either. */
export async function reportUnmatched(
  context: CommandContext,
  { ids, missing }: NamedIds,
  matched: number,
  limit: number | undefined,
): Promise<void> {
  const found = ids.length - missing.length
  const unmatched = Math.min(found, limit ?? found) - matched
  if (unmatched <= 0) return
  await context.note(
    `${plural(unmatched, 'failure')} of ${ids.length} named cannot be changed so. Look with: eddy failures show ID`,
  )
  context.exitWith(matched === 0 ? EXIT.failed : EXIT.partial)
}

async function exists({ client }: CommandContext, id: string): Promise<boolean> {
  try {
    await client.showFailure(id)
    return true
  } catch (error) {
    if (error instanceof RemoteError && error.code === 'EDDY_FAILURE_NOT_FOUND') return false
    throw error
  }
}
