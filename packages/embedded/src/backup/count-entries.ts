import { existsSync } from 'node:fs'
import type { DataDirPaths } from '../directory/data-dir.ts'
import { type ByteMap, openEnvironment } from '../store/environment.ts'
import { LOG_MAPS, MAIN_MAPS } from '../store/map-names.ts'

/** Opens a copy for reading and calls `visit` with each of its maps; LMDB's own names are `store/chunks` and so on. */
export async function visitMaps(
  paths: DataDirPaths,
  visit: (name: string, map: ByteMap) => void | Promise<void>,
): Promise<void> {
  const environments = [
    { label: 'store', path: paths.store, maps: MAIN_MAPS },
    { label: 'os-store', path: paths.osStore, maps: LOG_MAPS },
  ]
  for (const { label, path, maps } of environments) {
    if (!existsSync(path)) continue
    const environment = openEnvironment({ path, readOnly: true, sync: 'fsync' })
    try {
      for (const name of maps) {
        // A copy that an earlier version made has fewer maps.
        const map = environment.openMap(name) as ByteMap | undefined
        if (map !== undefined) await visit(`${label}/${name}`, map)
      }
    } finally {
      await environment.close()
    }
  }
}

/** LMDB keeps the number of entries, so this reads no entry. */
export async function countEntries(paths: DataDirPaths): Promise<Record<string, number>> {
  const entries: Record<string, number> = {}
  await visitMaps(paths, (name, map) => {
    entries[name] = entryCount(map)
  })
  return entries
}

export function entryCount(map: ByteMap): number {
  return (map.getStats() as { entryCount: number }).entryCount
}
