/** One reading of a shard or of a queue: from where a process begins with it to where it lets go. */
export interface Reading {
  /** Higher than that of every reading of the shard, and of its parents, that began before. Fences their late writes. */
  readonly epoch: number
  /** True once another process may have what is read here: nothing more is begun, and no result is written down. */
  isOver(): boolean
}
