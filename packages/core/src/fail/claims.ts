import type { LedgerItem } from '../model/ledger-item.ts'
import { Fenced } from '../runtime/fenced.ts'

type Claimed = Pick<LedgerItem, 'id' | 'claimedBy'>

/** How long the claim of a failed event counts that is another's: whoever claims handles the event alone. */
export interface Claims {
  /** What the claims of this process begin with, up to a colon. */
  readonly owner: string
  /** It is this process's. */
  isOwn(item: Claimed): boolean
  /** It counts until its time is over. Otherwise whoever claimed is dead, and the attempt was a crash. */
  counts(item: Claimed): boolean
  /** @throws Fenced when the claim tells that this process is a former owner */
  check(item: Claimed): void
}

/**
 * Of the one process that owns the engine: an earlier life's claim is a crash at once, a later one's says that this
 * life is over.
 *
 * @param epoch - of the process
 */
export function soleClaims(epoch: number): Claims {
  const owner = String(epoch)
  const isOwn = (item: Claimed): boolean => ownerOf(item) === owner
  return {
    owner,
    isOwn,
    counts: isOwn,
    check: (item) => {
      if (Number(ownerOf(item)) > epoch) throw new Fenced(`failure ${item.id}`)
    },
  }
}

/**
 * Of one of several processes: everybody's claim counts until its time is over, which has room for clocks that differ
 * by a few seconds. After that it was a crash.
 *
 * @param owner - names the process among all; neither a number nor with a colon
 */
export function sharedClaims(owner: string): Claims {
  return { owner, isOwn: (item) => ownerOf(item) === owner, counts: () => true, check: () => {} }
}

function ownerOf({ claimedBy }: Claimed): string | undefined {
  return claimedBy?.split(':', 1)[0]
}
