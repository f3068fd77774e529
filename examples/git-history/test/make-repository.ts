import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../scripts/make-big-repository.mjs', import.meta.url))

export interface MadeRepository {
  readonly directory: string
  readonly commits: number
  readonly merges: number
  readonly changes: number
  readonly paths: number
  readonly seconds: number
}

/** A repository with an awkward history; see the script. */
export function makeRepository(parent: string, changes: number, seed = 1): MadeRepository {
  const args = [SCRIPT, join(parent, 'repository'), '--changes', String(changes), '--seed', String(seed)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 }))
}
