/**
 * The data of an event: how many times a member has clapped for a post in all.
 *
 * It carries the full state of (post, member) and not "one more", so that handling it twice changes nothing, and the
 * one with the highest version says everything that the others said.
 */
export interface Clap {
  readonly post: string
  readonly member: string
  /** The member's claps for the post, 0 to 50; it falls when claps are taken back. */
  readonly total: number
  /** 1 for the member's first event of the post, then one more with each. */
  readonly version: number
}

/** Claps of one member for one post are one key: they stay in order, all others are free. */
export function keyOf({ post, member }: Pick<Clap, 'post' | 'member'>): string {
  return `${post}/${member}`
}
