export interface BlobInfo {
  readonly key: string
  readonly bytes: number
}

/** Large values under a name. A blob is there whole or not at all. */
export interface Blobs {
  /** Replaces what was there. Keys: up to 512 characters of `a-zA-Z0-9_.=-` in parts joined by `/`. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo>
  /** Undefined when there is none. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>
  /** In key order. */
  list(prefix: string): AsyncIterable<BlobInfo>
  /** No error when there is none. */
  delete(key: string): Promise<void>
}
