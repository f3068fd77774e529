import type { Notice } from '../model/app.ts'
import type { SubscriptionStatus } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

const SNAPSHOT_INTERVAL_MS = 1_000
/** Notices kept for a slow reader (I6). Beyond it the oldest go: this is a live view, and the ledger has them all. */
const MAX_BUFFERED_NOTICES = 1_000

export type WatchEvent =
  | { readonly type: 'subscriptions'; readonly data: readonly SubscriptionStatus[] }
  | { readonly type: 'notice'; readonly data: Notice }

/**
 * A snapshot of all subscriptions at once and, when it changed, at most each second; notices as they come. Ends with
 * the signal.
 */
export async function* watch(
  deps: Pick<OperationsDeps, 'engine' | 'notices'>,
  snapshot: () => Promise<readonly SubscriptionStatus[]>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { clock } = deps.engine
  const buffered: Notice[] = []
  let wake: AbortController | undefined
  const unsubscribe = deps.notices((notice) => {
    buffered.push(notice)
    if (buffered.length > MAX_BUFFERED_NOTICES) buffered.shift()
    wake?.abort()
  })
  const onAbort = (): void => wake?.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    let shown = ''
    let nextSnapshotMs = clock.monotonicMs()
    while (!signal.aborted) {
      for (let notice = buffered.shift(); notice !== undefined; notice = buffered.shift()) {
        yield { type: 'notice', data: notice }
      }
      if (clock.monotonicMs() >= nextSnapshotMs) {
        const data = await snapshot()
        nextSnapshotMs = clock.monotonicMs() + SNAPSHOT_INTERVAL_MS
        const text = JSON.stringify(data)
        if (text !== shown && !signal.aborted) yield { type: 'subscriptions', data }
        shown = text
      }
      if (buffered.length > 0 || signal.aborted) continue
      wake = new AbortController()
      await clock.sleep(Math.max(0, nextSnapshotMs - clock.monotonicMs()), wake.signal)
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
