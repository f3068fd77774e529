import type { AppendOutcome, NewMessage, Producer, SendOutcome } from '@eddy/core'
import { encodeMessage, messageId } from './encode-message.ts'

/** What orders messages: their queue alone knows its groups, so they go one request after another. */
export const MESSAGE_LANE = 'messages'

/** @returns one outcome a message, in order @throws InvalidEventError for data that is not JSON, before anything is sent */
export async function sendMessages(
  producer: Producer,
  queue: string,
  messages: readonly NewMessage[],
): Promise<readonly SendOutcome[]> {
  const records = messages.map((message) => {
    const id = messageId(message)
    return { key: MESSAGE_LANE, id, data: encodeMessage(message, id) }
  })
  const outcomes: SendOutcome[] = new Array(records.length)
  await producer.produceItems(queue, records, (record) => ({ ok: true, record }), {
    onOutcome(outcome, index) {
      outcomes[index] = toSendOutcome(outcome)
    },
  })
  return outcomes
}

function toSendOutcome(outcome: AppendOutcome): SendOutcome {
  if (!outcome.ok) return outcome
  const { id, sequenceNumber, duplicate } = outcome
  return { ok: true, id, messageId: sequenceNumber, duplicate }
}
