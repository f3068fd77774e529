import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { QueueAddress } from './queue-addresses.ts'
import { secondsOf } from './queue-clock.ts'
import { RECEIVED_ATTRIBUTES, type ReceivedMessage, receivedMessage } from './received-message.ts'
import { sqsError } from './sqs-errors.ts'

export interface PollRequest {
  readonly maxMessages: number
  readonly visibilityMs: number
  readonly waitMs: number
  /** Ends the request itself: what it brings then stays hidden. */
  readonly signal: AbortSignal
}

const MAX_ENTRIES = 10
const MAX_WAIT_SECONDS = 20
const MAX_CALLS = 8

/**
 * One long poll, and as long as calls come back full, more and more of them beside each other, which do not wait.
 *
 * A FIFO queue gives several messages of a group at a time, which here are to be delivered one after another: it is asked
 * for one message a call, and keeps the rest of the group.
 *
 * @throws StorageError, SqsRefusedError; never once something was received
 */
export async function poll(
  client: SQSClient,
  address: QueueAddress,
  request: PollRequest,
): Promise<readonly ReceivedMessage[]> {
  const most = address.isFifo ? 1 : MAX_ENTRIES
  const received = [...(await receive(client, address, { ...request, most }))]
  let calls = 1
  let isFull = received.length === most
  while (isFull && received.length < request.maxMessages && !request.signal.aborted) {
    calls = Math.min(MAX_CALLS, calls * 2)
    const open = request.maxMessages - received.length
    const needed = Math.min(calls, Math.ceil(open / most))
    const answers = await Promise.allSettled(
      Array.from({ length: needed }, (_, index) =>
        receive(client, address, {
          ...request,
          maxMessages: Math.min(most, open - index * most),
          waitMs: 0,
          most,
        }),
      ),
    )
    isFull = true
    for (const answer of answers) {
      if (answer.status === 'fulfilled') received.push(...answer.value)
      isFull &&= answer.status === 'fulfilled' && answer.value.length === most
    }
  }
  return received
}

async function receive(
  client: SQSClient,
  { url, name }: QueueAddress,
  { maxMessages, visibilityMs, waitMs, signal, most }: PollRequest & { readonly most: number },
): Promise<readonly ReceivedMessage[]> {
  const input = {
    QueueUrl: url,
    MaxNumberOfMessages: Math.min(most, maxMessages),
    VisibilityTimeout: secondsOf(visibilityMs),
    WaitTimeSeconds: Math.min(MAX_WAIT_SECONDS, secondsOf(waitMs)),
    MessageSystemAttributeNames: [...RECEIVED_ATTRIBUTES],
  }
  try {
    const { Messages: messages = [] } = await client.send(new ReceiveMessageCommand(input), {
      abortSignal: signal,
    })
    return messages.map(receivedMessage)
  } catch (error) {
    if (signal.aborted) return []
    throw sqsError(error, `ReceiveMessage on queue "${name}"`)
  }
}
