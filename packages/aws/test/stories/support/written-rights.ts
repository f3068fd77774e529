import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type NeededRight, neededRights, readCalls, violationsOf } from '../../support/recorded-calls.ts'

/** Each right once; the caller's role is that of the constructs. */
const told = ({ by, action, resource }: NeededRight) => `${by}: ${action} on ${resource}`

/**
 * Expects that a run's calls are right by the services' models, and that the rights that they need are those written down,
 * which `npm run test:cdk` compares with the constructs' roles. `UPDATE_RIGHTS=1` writes them down.
 *
 * @param calls - the file with what was recorded
 * @param written - a JSON file
 */
export function expectWrittenRights(calls: string, written: URL): void {
  const recorded = readCalls(calls)
  expect(violationsOf(recorded)).toEqual([])
  const made = neededRights(recorded)
  const known = existsSync(written) ? (JSON.parse(readFileSync(written, 'utf8')) as NeededRight[]) : []
  if (process.env.UPDATE_RIGHTS !== undefined) {
    writeFileSync(written, `${JSON.stringify(made, undefined, 2)}\n`)
    return
  }
  // Some are made by chance alone, such as those of a step that is repeated: what is written down may be more.
  const missing = made.map(told).filter((right) => !known.map(told).includes(right))
  expect(missing, 'write them down: UPDATE_RIGHTS=1 npm run test:aws').toEqual([])
  expect(made.length).toBeGreaterThan(known.length * 0.8)
}
