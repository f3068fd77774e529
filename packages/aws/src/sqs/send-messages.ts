import type { SQSClient } from '@aws-sdk/client-sqs'
import {
  type Blobs,
  type Clock,
  DEDUPLICATION_WINDOW_MS,
  isEddyError,
  messageProblem,
  type QueueMessage,
  type SendResult,
} from '@eddy/core'
import { type Draft, groupIdOf, headerOf, idOf, refused, unavailable } from './draft.ts'
import { Identities } from './identities.ts'
import { inParallel } from './in-parallel.ts'
import type { LongDelays } from './long-delays.ts'
import { type PlacedMessage, placeBody } from './message-content.ts'
import type { QueueAddress, QueueAddresses } from './queue-addresses.ts'
import { MAX_DELAY_SECONDS } from './queue-clock.ts'
import { type Outgoing, type Sent, sendBatches } from './send-batches.ts'
import type { SentBefore } from './sent-before.ts'
import { scheduleName } from './timer-names.ts'

export interface SendParts {
  readonly client: SQSClient
  readonly clock: Clock
  readonly blobs: Blobs
  readonly addresses: QueueAddresses
  readonly sentBefore: SentBefore
  readonly longDelays: LongDelays | undefined
  /** Of a message, and of a batch. */
  readonly maxMessageBytes: number
}

/** What every queue takes, whatever its characters are and whoever made it with the limits of before. */
const LEAST_MAX_CHARACTERS = 60_000

/** The sending half of the port on SQS: what is sent how, and what became of it. */
export class MessageSender {
  readonly #parts: SendParts
  readonly #identities: Identities

  constructor(parts: SendParts) {
    this.#parts = parts
    this.#identities = new Identities(parts.clock)
  }

  /** One result a message, in order. @throws StorageError, SqsRefusedError when the queue is not found */
  async send(queue: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]> {
    const address = await this.#parts.addresses.find(queue)
    const results: (SendResult | undefined)[] = messages.map((message) => problemOf(message, address))
    const open = [...messages.keys()].filter((index) => results[index] === undefined)
    const first = firstOfIds(messages, open)
    const drafts = new Map<number, Draft>()
    await inParallel(
      open.filter((index) => first.get(index) === undefined),
      async (index) => {
        const claimed = await this.#draftOf(queue, messages[index] as QueueMessage)
        if ('ok' in claimed) results[index] = claimed
        else drafts.set(index, claimed)
      },
    )
    const inOrder = [...drafts].sort(([a], [b]) => a - b)
    const fates = await this.#sendDrafts(
      address,
      inOrder.map(([, draft]) => draft),
    )
    for (const [at, [index, draft]] of inOrder.entries())
      results[index] = await this.#settle(draft, fates[at] as Sent)
    for (const [index, of] of first)
      if (of !== undefined) results[index] = asDuplicate(results[of] as SendResult)
    return results as SendResult[]
  }

  /** A copy of a message that was received, to be delivered later. @returns whether it was accepted */
  async sendAgain(address: QueueAddress, draft: Draft): Promise<Sent> {
    const [fate] = await this.#sendDrafts(address, [draft])
    return fate as Sent
  }

  async #draftOf(queue: string, message: QueueMessage): Promise<Draft | SendResult> {
    const identity = this.#identities.of(message)
    const { deduplicationId, deduplicationWindowMs = DEDUPLICATION_WINDOW_MS } = message
    if (deduplicationId === undefined) return { message, identity, claim: undefined, receives: 0 }
    try {
      const key = { queue, deduplicationId }
      const result = await this.#parts.sentBefore.claim(key, deduplicationWindowMs, identity.id)
      switch (result.kind) {
        case 'claimed':
          return { message, identity, claim: result.claim, receives: 0 }
        case 'duplicate':
          return { ok: true, messageId: result.messageId, duplicate: true }
        case 'busy':
          this.#identities.notAccepted(message, identity)
          return unavailable('another message of this deduplication id is being sent')
      }
    } catch (error) {
      this.#identities.notAccepted(message, identity)
      return failureOf(error)
    }
  }

  async #sendDrafts(address: QueueAddress, drafts: readonly Draft[]): Promise<readonly Sent[]> {
    const { client, clock, maxMessageBytes } = this.#parts
    const fates = new Map<Draft, Sent>()
    const outgoing: Outgoing[] = []
    const later: Outgoing[] = []
    await inParallel(drafts, async (draft) => {
      const isLong = this.#isLong(draft)
      try {
        const one = { draft, placed: await this.#place(address, draft, isLong) }
        ;(isLong ? later : outgoing).push(one)
      } catch (error) {
        fates.set(draft, failureOf(error))
      }
    })
    // Placed side by side, sent in order.
    const order = new Map(drafts.map((draft, index) => [draft, index]))
    outgoing.sort((a, b) => (order.get(a.draft) as number) - (order.get(b.draft) as number))
    const options = { maxBatchBytes: maxMessageBytes, nowMs: clock.now() }
    const [sent] = await Promise.all([
      sendBatches(client, address, outgoing, options),
      inParallel(later, async (one) => fates.set(one.draft, await this.#schedule(address, one))),
    ])
    for (const [index, { draft }] of outgoing.entries()) fates.set(draft, sent[index] as Sent)
    for (const { draft, placed } of [...outgoing, ...later])
      await this.#forgetUnsent(placed, fates.get(draft) as Sent)
    return drafts.map((draft) => fates.get(draft) as Sent)
  }

  async #place(address: QueueAddress, draft: Draft, isLong: boolean): Promise<PlacedMessage> {
    const { blobs, longDelays } = this.#parts
    const maxTextBytes = isLong ? (longDelays?.maxTextBytes ?? 0) : await this.#maxTextBytes(address, draft)
    // Without anything that delays for long, the message waits in the queue, in copies.
    const waitsLong = isLong || this.#waitsLong(draft)
    return await placeBody(headerOf(draft), draft.message.body, { blobs, maxTextBytes, isLong: waitsLong })
  }

  /** Queues that are older than messages of a mebibyte, or that somebody else made, may take less. */
  async #maxTextBytes(address: QueueAddress, { message: { body } }: Draft): Promise<number> {
    const { addresses, maxMessageBytes } = this.#parts
    if (body.length < LEAST_MAX_CHARACTERS) return maxMessageBytes
    return Math.min(maxMessageBytes, (await addresses.detailsOf(address)).maxBytes)
  }

  #isLong(draft: Draft): boolean {
    return this.#parts.longDelays !== undefined && this.#waitsLong(draft)
  }

  #waitsLong({ identity: { dueAtMs = 0 } }: Draft): boolean {
    return dueAtMs - this.#parts.clock.now() > MAX_DELAY_SECONDS * 1_000
  }

  async #schedule(address: QueueAddress, { draft, placed }: Outgoing): Promise<Sent> {
    const { longDelays, addresses } = this.#parts
    const dueAtMs = draft.identity.dueAtMs as number
    try {
      const outcome = await (longDelays as LongDelays).send({
        name: scheduleName(address.queue, draft.message.timer ?? idOf(draft), dueAtMs),
        dueAtMs,
        queueArn: (await addresses.detailsOf(address)).arn,
        text: placed.text,
        ...(address.isFifo && { messageGroupId: groupIdOf(draft) }),
      })
      return outcome.ok ? outcome : { ...outcome, isUnknown: outcome.retryable }
    } catch (error) {
      return failureOf(error)
    }
  }

  /** A body by reference whose message was refused is nobody's. What may have been accepted keeps it. */
  async #forgetUnsent({ blob }: PlacedMessage, fate: Sent): Promise<void> {
    if (blob === undefined || fate.ok || fate.isUnknown === true) return
    await this.#parts.blobs.delete(blob).catch(() => {})
  }

  async #settle(draft: Draft, fate: Sent): Promise<SendResult> {
    const { sentBefore } = this.#parts
    if (fate.ok) {
      if (draft.claim !== undefined) await sentBefore.sent(draft.claim)
      return { ok: true, messageId: idOf(draft) }
    }
    if (draft.claim !== undefined) await sentBefore.open(draft.claim)
    this.#identities.notAccepted(draft.message, draft.identity)
    return { ok: false, retryable: fate.retryable, message: fate.message }
  }
}

function problemOf(message: QueueMessage, { isFifo, queue }: QueueAddress): SendResult | undefined {
  const bytes = typeof message.body === 'string' ? Buffer.byteLength(message.body) : 0
  const problem = messageProblem(message, bytes)
  if (problem !== undefined) return refused(problem)
  if (message.group === undefined || isFifo) return undefined
  return refused(`group: queue "${queue}" keeps no groups in order; it is a standard queue of SQS`)
}

/** Of several messages of one id in a call, the index of the first for each of the others. */
function firstOfIds(
  messages: readonly QueueMessage[],
  open: readonly number[],
): ReadonlyMap<number, number | undefined> {
  const first = new Map<string, number>()
  return new Map(
    open.map((index) => {
      const id = messages[index]?.deduplicationId
      if (id === undefined) return [index, undefined]
      const known = first.get(id)
      if (known === undefined) first.set(id, index)
      return [index, known]
    }),
  )
}

function asDuplicate(result: SendResult): SendResult {
  return result.ok ? { ...result, duplicate: true } : result
}

function failureOf(error: unknown): ReturnType<typeof refused> {
  if (!isEddyError(error)) throw error
  return { ok: false, retryable: error.retryable, message: error.message }
}
