/**
 * The value at a dot path such as `customer.id`, own members only. A member whose name is the whole path comes first,
 * since names may hold dots.
 */
export function valueAt(value: unknown, path: string): unknown {
  if (isOwn(value, path)) return value[path]
  let current: unknown = value
  for (const name of path.split('.')) {
    if (!isOwn(current, name)) return undefined
    current = current[name]
  }
  return current
}

function isOwn(value: unknown, name: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
}
