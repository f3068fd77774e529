import { type Database, open, type RootDatabase } from 'lmdb'

/** An ordered map from bytes to bytes. */
export type ByteMap = Database<Uint8Array, Uint8Array>

/** One LMDB file with its named maps. */
export interface Environment {
  readonly root: RootDatabase<Uint8Array, Uint8Array>
  openMap(name: string): ByteMap
  close(): Promise<void>
}

export interface EnvironmentOptions {
  readonly path: string
  readonly readOnly: boolean
  /**
   * `fsync`: a commit is finished when it is on disk (I1). `later`: it is finished when the operating system has it;
   * LMDB flushes behind, and after a power cut falls back to the last state that was flushed whole.
   */
  readonly sync: 'fsync' | 'later'
  /** Made where they are missing, all in one commit: one by one each would wait for the disk. */
  readonly maps?: readonly string[]
}

const MAP_ENCODING = { keyEncoding: 'binary', encoding: 'binary' } as const
const MAX_MAPS = 24

export function openEnvironment(options: EnvironmentOptions): Environment {
  const root = open<Uint8Array, Uint8Array>({
    path: options.path,
    ...MAP_ENCODING,
    maxDbs: MAX_MAPS,
    overlappingSync: options.sync === 'later' && !options.readOnly,
    // Only the group committer writes, and it forms its own batches; lmdb's batching by event turn would leave a
    // promise behind whose rejection nobody can catch.
    eventTurnBatching: false,
    readOnly: options.readOnly,
  })
  const openMap = (name: string): ByteMap => root.openDB<Uint8Array, Uint8Array>({ name, ...MAP_ENCODING })
  const opened = options.readOnly ? undefined : openTogether(root, options.maps ?? [], openMap)
  return {
    root,
    openMap: (name) => opened?.get(name) ?? openMap(name),
    close: () => root.close(),
  }
}

function openTogether(
  root: RootDatabase<Uint8Array, Uint8Array>,
  names: readonly string[],
  openMap: (name: string) => ByteMap,
): ReadonlyMap<string, ByteMap> {
  return root.transactionSync(() => new Map(names.map((name) => [name, openMap(name)])))
}
