import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { EddyError } from '@eddy/core'
import { type Draft, groupIdOf, idOf, type Refused, refused, unavailable } from './draft.ts'
import { inParallel } from './in-parallel.ts'
import type { PlacedMessage } from './message-content.ts'
import type { QueueAddress } from './queue-addresses.ts'
import { MAX_DELAY_SECONDS, secondsOf } from './queue-clock.ts'
import { sqsError } from './sqs-errors.ts'

/** A message that is ready to be sent by SQS itself. */
export interface Outgoing {
  readonly draft: Draft
  readonly placed: PlacedMessage
}

export type Sent = { readonly ok: true } | (Refused & { readonly isUnknown?: boolean })

const MAX_ENTRIES = 10
/** Codes of entries that are told apart from what the sender is to blame for. */
const THROTTLED = /Throttl|OverLimit|ServiceUnavailable|InternalError|InternalFailure/

/** Sends in as few calls as may be; a fate for each message, in order. */
export async function sendBatches(
  client: SQSClient,
  address: QueueAddress,
  outgoing: readonly Outgoing[],
  options: { readonly maxBatchBytes: number; readonly nowMs: number },
): Promise<readonly Sent[]> {
  const sent = new Map<Outgoing, Sent>()
  for (const round of address.isFifo ? roundsOf(outgoing, sent) : [() => outgoing]) {
    await inParallel(batchesOf(round(), options.maxBatchBytes), async (batch) => {
      const fates = await sendBatch(client, address, batch, options.nowMs)
      for (const [index, one] of batch.entries()) sent.set(one, fates[index] as Sent)
    })
  }
  return outgoing.map(
    (one) => sent.get(one) ?? unavailable('an earlier message of its group was not accepted'),
  )
}

/** I3: of a group one message a batch, since entries fail one by one; and none past one that may be sent again. */
function roundsOf(
  outgoing: readonly Outgoing[],
  sent: ReadonlyMap<Outgoing, Sent>,
): readonly (() => readonly Outgoing[])[] {
  const lanes = new Map<string, Outgoing[]>()
  for (const one of outgoing) {
    const group = groupIdOf(one.draft)
    const lane = lanes.get(group)
    if (lane === undefined) lanes.set(group, [one])
    else lane.push(one)
  }
  const all = [...lanes.values()]
  const isOpen = (before: Outgoing | undefined): boolean => {
    if (before === undefined) return true
    const fate = sent.get(before)
    return fate !== undefined && (fate.ok || !fate.retryable)
  }
  return Array.from({ length: Math.max(0, ...all.map((lane) => lane.length)) }, (_, round) => () => {
    const turn = all.filter((lane) => lane.length > round && isOpen(lane[round - 1]))
    return turn.map((lane) => lane[round] as Outgoing)
  })
}

function batchesOf(outgoing: readonly Outgoing[], maxBatchBytes: number): readonly (readonly Outgoing[])[] {
  const batches: Outgoing[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const one of outgoing) {
    const size = Buffer.byteLength(one.placed.text)
    const last = batches.at(-1)
    if (last === undefined || last.length === MAX_ENTRIES || bytes + size > maxBatchBytes) {
      batches.push([one])
      bytes = size
    } else {
      last.push(one)
      bytes += size
    }
  }
  return batches
}

async function sendBatch(
  client: SQSClient,
  address: QueueAddress,
  batch: readonly Outgoing[],
  nowMs: number,
): Promise<readonly Sent[]> {
  const entries = batch.map((one, index) => entryOf(one, index, address, nowMs))
  try {
    const { Successful: successful = [], Failed: failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: address.url, Entries: entries }),
    )
    const accepted = new Set(successful.map(({ Id: id }) => id))
    const failures = new Map(failed.map((entry) => [entry.Id, entry]))
    return entries.map(({ Id: id }) =>
      accepted.has(id) ? { ok: true } : failureOf(failures.get(id), address),
    )
  } catch (thrown) {
    const error = sqsError(thrown, `SendMessageBatch on queue "${address.name}"`)
    // Neither the service nor a connection said it: a bug.
    if (!(error instanceof EddyError)) throw error
    const fate: Sent = {
      ok: false,
      retryable: error.retryable,
      message: error.message,
      isUnknown: error.retryable,
    }
    return batch.map(() => fate)
  }
}

/** A FIFO queue delays no single message: whoever receives it early hides it until it is due. */
function entryOf(
  { draft, placed }: Outgoing,
  index: number,
  { isFifo }: QueueAddress,
  nowMs: number,
): SendMessageBatchRequestEntry {
  const entry = { Id: String(index), MessageBody: placed.text }
  if (isFifo)
    return { ...entry, MessageGroupId: groupIdOf(draft), MessageDeduplicationId: deduplicationIdOf(draft) }
  const { dueAtMs } = draft.identity
  if (dueAtMs === undefined) return entry
  return { ...entry, DelaySeconds: Math.min(MAX_DELAY_SECONDS, secondsOf(dueAtMs - nowMs)) }
}

/** The same when nobody knows what became of it: SQS then takes it once. A copy of what was received is another message. */
function deduplicationIdOf(draft: Draft): string {
  return draft.receives === 0 ? idOf(draft) : `${idOf(draft)}-${draft.receives}`
}

function failureOf(failed: BatchResultErrorEntry | undefined, { name }: QueueAddress): Sent {
  if (failed === undefined) return unavailable(`queue "${name}": the answer does not name the message`)
  const { Code: code = 'no code', Message: message = 'no message', SenderFault: isSenders } = failed
  const problem = `queue "${name}": ${code}: ${message}`
  return isSenders === true && !THROTTLED.test(code) ? refused(problem) : unavailable(problem)
}
