import type { Clock, ItemKey, Table, TableItem } from '@eddy/core'

/** What is known of a deduplication id. */
type Sent = {
  readonly messageId: string
  /** `sending`: nobody knows yet whether the message was accepted. */
  readonly state: 'sending' | 'sent'
  /** While `sending`: somebody may be at it until then; epoch milliseconds. */
  readonly untilMs: number
}

/** A message that may be sent under its id. */
export interface Claim {
  readonly messageId: string
  readonly item: TableItem<Sent>
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'duplicate'; readonly messageId: string }
  /** Another one is sending it at this moment. */
  | { readonly kind: 'busy' }

/** A sender that died is waited for no longer than this. */
const SENDING_MS = 30_000

/**
 * Deduplication ids: SQS knows them in FIFO queues alone, for five minutes alone, and does not say which message was a
 * duplicate. Here each is an item of the table, with a partition of its own.
 *
 * An id is claimed, its message sent, and only then noted as sent. A sender that dies in between leaves a claim that the
 * next one takes over, under the message id of the first: sent twice at worst, never lost.
 */
export class SentBefore {
  readonly #table: Table
  readonly #clock: Clock

  constructor(table: Table, clock: Clock) {
    this.#table = table
    this.#clock = clock
  }

  /** @throws what the table throws */
  async claim(
    key: { readonly queue: string; readonly deduplicationId: string },
    windowMs: number,
    messageId: string,
  ): Promise<ClaimResult> {
    const nowMs = this.#clock.now()
    const value: Sent = { messageId, state: 'sending', untilMs: nowMs + SENDING_MS }
    const place = placeOf(key)
    const expiresAtMs = nowMs + windowMs
    const written = await this.#table.put<Sent>({ ...place, value, expiresAtMs }, 'absent')
    if (written.ok)
      return { kind: 'claimed', claim: { messageId, item: { ...place, value, version: 1, expiresAtMs } } }
    const { current } = written
    if (current === undefined) return { kind: 'busy' }
    if (current.value.state === 'sent') return { kind: 'duplicate', messageId: current.value.messageId }
    if (current.value.untilMs > nowMs && current.value.messageId !== messageId) return { kind: 'busy' }
    return await this.#takeOver(current, value.untilMs)
  }

  /** Unseen if it fails: the id may then be sent again, under its message's id. */
  async sent({ item }: Claim): Promise<void> {
    await this.#replace(item, { ...item.value, state: 'sent' })
  }

  /** It was not sent, or nobody knows: it may be tried again at once. */
  async open({ item }: Claim): Promise<void> {
    await this.#replace(item, { ...item.value, untilMs: 0 })
  }

  async #takeOver(standing: TableItem<Sent>, untilMs: number): Promise<ClaimResult> {
    const value = { ...standing.value, untilMs }
    const { partition, sort, expiresAtMs } = standing
    const written = await this.#table.put<Sent>(
      { partition, sort, value, ...(expiresAtMs !== undefined && { expiresAtMs }) },
      standing.version,
    )
    if (!written.ok) return { kind: 'busy' }
    const item = { ...standing, value, version: written.version }
    return { kind: 'claimed', claim: { messageId: value.messageId, item } }
  }

  async #replace({ partition, sort, version, expiresAtMs }: TableItem<Sent>, value: Sent): Promise<void> {
    await this.#table
      .put<Sent>({ partition, sort, value, ...(expiresAtMs !== undefined && { expiresAtMs }) }, version)
      .catch(() => {})
  }
}

function placeOf({ queue, deduplicationId }: { queue: string; deduplicationId: string }): ItemKey {
  return { partition: `deduplication/${queue}/${deduplicationId}`, sort: 'sent' }
}
