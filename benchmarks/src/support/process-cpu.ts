import { readdirSync, readFileSync } from 'node:fs'

/** What /proc counts in: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10

interface Usage {
  readonly parent: number
  readonly ownMs: number
  readonly endedChildrenMs: number
}

/**
 * CPU milliseconds of a process, its descendants, and those of its children that have ended. Undefined where the system
 * does not tell (not Linux).
 */
export function treeCpuMs(root: number): number | undefined {
  const usages = allUsages()
  const first = usages.get(root)
  if (first === undefined) return undefined
  let total = first.endedChildrenMs
  for (const [pid, usage] of usages) if (descends(pid, root, usages)) total += usage.ownMs
  return total
}

function allUsages(): Map<number, Usage> {
  const usages = new Map<number, Usage>()
  for (const name of processFolders()) {
    try {
      // After the name, which may hold anything, in parentheses: state, parent, …
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      const ms = (field: number): number => ((fields[field] ?? 0) + (fields[field + 1] ?? 0)) * TICK_MS
      usages.set(Number(name), { parent: fields[1] ?? 0, ownMs: ms(11), endedChildrenMs: ms(13) })
    } catch {
      // It ended meanwhile.
    }
  }
  return usages
}

function processFolders(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function descends(pid: number, root: number, usages: ReadonlyMap<number, Usage>): boolean {
  let at: number | undefined = pid
  // No chain of parents is longer than there are processes.
  for (let step = 0; at !== undefined && step <= usages.size; step += 1) {
    if (at === root) return true
    at = usages.get(at)?.parent
  }
  return false
}
