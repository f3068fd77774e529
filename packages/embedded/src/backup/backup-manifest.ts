/** `backup.json`: written last, so that a copy without it is known to be cut short. */
export const MANIFEST_FILE = 'backup.json'

export interface BackupManifest {
  readonly kind: 'eddy-backup'
  readonly format: number
  readonly createdAtMs: number
  /** Entries of each map, by environment folder and map name. */
  readonly entries: Readonly<Record<string, number>>
  readonly blobs: number
  readonly blobBytes: number
  /** Size of the whole copy. */
  readonly bytes: number
}
