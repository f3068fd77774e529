import type { TableItem, TableValue } from '@eddy/core'

/** A copy that shares nothing with the value. `undefined` members are left out. */
export function cloneValue<V extends TableValue>(value: V): V {
  return copy(value) as V
}

export function cloneItem<V extends TableValue>(item: TableItem): TableItem<V> {
  return { ...item, value: copy(item.value) as V, ...(item.index && { index: { ...item.index } }) }
}

function copy(value: TableValue): TableValue {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map((member: TableValue) => copy(member))
  const members: Record<string, TableValue> = {}
  const source = value as { readonly [name: string]: TableValue | undefined }
  for (const name of Object.keys(source)) {
    const member = source[name]
    if (member !== undefined) members[name] = copy(member)
  }
  return members
}
