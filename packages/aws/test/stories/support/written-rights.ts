import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import {
  type NeededRight,
  neededRights,
  type RecordedCall,
  readCalls,
  violationsOf,
} from '../../support/recorded-calls.ts'

/** Each right once; the caller's role is that of the constructs. */
const told = ({ by, action, resource }: NeededRight) => `${by}: ${action} on ${resource}`

/**
 * Expects that a run's calls are right by the services' models, and that the rights that they need are those written down,
 * which `npm run test:cdk` compares with the constructs' roles. `UPDATE_RIGHTS=1` writes them down.
 *
 * @param calls - the file with what was recorded
 * @param written - a JSON file
 * @param rightsOf - default: as they are
 */
export function expectWrittenRights(
  calls: string,
  written: URL,
  rightsOf: (calls: readonly RecordedCall[]) => readonly NeededRight[] = neededRights,
): void {
  const recorded = readCalls(calls)
  expect(violationsOf(recorded)).toEqual([])
  const made = rightsOf(recorded)
  if (process.env.UPDATE_RIGHTS !== undefined) {
    writeFileSync(written, `${JSON.stringify(made, undefined, 2)}\n`)
    return
  }
  // Some are made by chance alone, such as those of a step that is repeated: in one run or another they were.
  const known = new Set(
    readdirSync(new URL('.', written)).filter(isRights).flatMap(rightsIn(written)).map(told),
  )
  const missing = made.map(told).filter((right) => !known.has(right))
  expect(missing, 'write them down: UPDATE_RIGHTS=1 npm run test:aws').toEqual([])
  const own = rightsIn(written)(written.href)
  expect(made.length).toBeGreaterThan(own.length * 0.8)
}

const isRights = (file: string): boolean => file.endsWith('-rights.json')

function rightsIn(folder: URL): (file: string) => readonly NeededRight[] {
  return (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as NeededRight[]
}
