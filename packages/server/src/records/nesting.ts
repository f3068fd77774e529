/** Levels of objects and arrays in one event. Deeper ones overflow the stack of those who write JSON. */
export const MAX_DEPTH = 1_000

/** Whether a JSON value of `bytes` bytes is nested deeper than `MAX_DEPTH`. Walks without recursion. */
export function isTooDeep(value: unknown, bytes: number): boolean {
  // Each level takes an opening and a closing bracket: short texts need no walk.
  if (bytes < 2 * MAX_DEPTH) return false
  let level: object[] = isBranch(value) ? [value] : []
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === MAX_DEPTH) return true
    level = level.flatMap((branch) => Object.values(branch).filter(isBranch))
  }
  return false
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
