import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Blocks } from '@eddy/core'

/** An event of the example, as far as it is looked at here. */
export interface Change {
  readonly path: string
  readonly authoredAt: string
}

/** A made repository with an awkward history, and the events that stand for it. */
export interface History {
  readonly repository: string
  readonly tip: string
  readonly changes: readonly Change[]
}

/** What the example's own check says. */
export interface Verdict {
  readonly ok: boolean
  readonly changes: number
  readonly differences: readonly string[]
  readonly violations: number
  readonly firstViolations: readonly unknown[]
}

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/git-history')
/** As people hand it to `eddy start`. */
export const APP_FILE: string = join(EXAMPLE, 'src/app.ts')
const RUN = { maxBuffer: 1 << 30, timeout: 120_000 }

const run = promisify(execFile)

/** @param changes - how many file changes its commits have */
export async function makeHistory(parent: string, changes: number): Promise<History> {
  const repository = join(parent, 'repository')
  const script = join(ROOT, 'scripts/make-big-repository.mjs')
  await node([script, repository, '--changes', String(changes)])
  const { stdout: tip } = await run('git', ['-C', repository, 'rev-parse', 'HEAD'], RUN)
  const lines = await node([join(EXAMPLE, 'dist/to-ndjson.js'), repository])
  return {
    repository,
    tip: tip.trim(),
    changes: lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Change),
  }
}

/** Compares the projection in a folder with Git's own count, path by path, by the example's command. */
export async function verdictOf(
  { repository, tip }: History,
  directory: string,
  blocks: Blocks,
): Promise<Verdict> {
  const check = join(EXAMPLE, 'dist/check.js')
  const args = [check, repository, '--data', directory, '--tip', tip, '--json']
  return JSON.parse(await node(args, { EDDY_BLOCKS: blocks })) as Verdict
}

/** @returns its output; exit codes 0 and 1 are answers */
async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, args, { ...RUN, env: { ...process.env, ...env } })
    return stdout
  } catch (error) {
    const { code, stdout } = error as { readonly code?: unknown; readonly stdout?: string }
    if (code === 1 && stdout !== undefined && stdout !== '') return stdout
    throw error
  }
}
