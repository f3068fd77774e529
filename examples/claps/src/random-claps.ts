import type { Clap } from './clap.ts'

export interface RandomClapsOptions {
  readonly posts: number
  readonly members: number
  readonly events: number
  /** A number in [0, 1). */
  readonly random: () => number
}

/** Claps as members would give them, each member and post in its order of versions. */
export function randomClaps({ posts, members, events, random }: RandomClapsOptions): Clap[] {
  const latest = new Map<string, Clap>()
  return Array.from({ length: events }, () => {
    const post = `post-${Math.floor(random() * posts)}`
    const member = `member-${Math.floor(random() * members)}`
    const before = latest.get(`${post}/${member}`)
    // Mostly a clap more; now and then all are taken back.
    const total = random() < 0.1 ? 0 : Math.min(50, (before?.total ?? 0) + 1)
    const clap = { post, member, total, version: (before?.version ?? 0) + 1 }
    latest.set(`${post}/${member}`, clap)
    return clap
  })
}

/** Total claps per post, counted the plain way. */
export function totalsOf(claps: readonly Clap[]): Map<string, number> {
  const newest = new Map<string, Clap>()
  for (const clap of claps) {
    const key = `${clap.post}/${clap.member}`
    if (clap.version > (newest.get(key)?.version ?? 0)) newest.set(key, clap)
  }
  const totals = new Map<string, number>()
  for (const { post, total } of newest.values()) totals.set(post, (totals.get(post) ?? 0) + total)
  return totals
}
