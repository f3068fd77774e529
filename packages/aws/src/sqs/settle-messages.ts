import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Clock, isEddyError, StorageError } from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { chunksOf, inParallel } from './in-parallel.ts'
import type { QueueAddress } from './queue-addresses.ts'
import { secondsOf } from './queue-clock.ts'
import { sqsError } from './sqs-errors.ts'

export interface SettleParts {
  readonly client: SQSClient
  readonly clock: Clock
}

const MAX_ENTRIES = 10
const MAX_TRIES = 5
const FIRST_WAIT_MS = 50
/**
 * The receipt is of a delivery that is over, or the message is gone: nothing is left to be done. "Value … for parameter
 * ReceiptHandle is invalid. Reason: The receipt handle has expired.", or "… Reason: Message does not exist or is not
 * available for visibility timeout change."
 */
const VOID = /ReceiptHandleIsInvalid|MessageNotInflight|parameter ReceiptHandle|Message does not exist/

/**
 * Deletes the messages. What is not known to be deleted is deleted again a few times, here alone: a deletion may be repeated.
 * @throws StorageError, SqsRefusedError
 */
export async function deleteMessages(
  parts: SettleParts,
  address: QueueAddress,
  handles: readonly string[],
): Promise<void> {
  await inParallel(chunksOf(handles, MAX_ENTRIES), async (chunk) => {
    let open = chunk
    await repeated(parts, `DeleteMessageBatch on queue "${address.name}"`, async () => {
      open = await deleteSome(parts, address, open)
      return open.length === 0 ? undefined : `${open.length} of ${chunk.length} messages are not deleted`
    })
  })
}

async function deleteSome(
  { client }: SettleParts,
  { url }: QueueAddress,
  handles: readonly string[],
): Promise<readonly string[]> {
  const entries = handles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }))
  const { Failed: failed = [] } = await client.send(
    new DeleteMessageBatchCommand({ QueueUrl: url, Entries: entries }),
  )
  const open = failed.filter(({ Code: code, Message: message }) => !VOID.test(`${code}: ${message}`))
  return open.map(({ Id: id }) => handles[Number(id)] as string)
}

/**
 * Hides a message from now on for so long.
 * @throws StorageError, SqsRefusedError
 */
export async function hideMessage(
  parts: SettleParts,
  { url, name }: QueueAddress,
  handle: string,
  hiddenMs: number,
): Promise<void> {
  const input = { QueueUrl: url, ReceiptHandle: handle, VisibilityTimeout: secondsOf(hiddenMs) }
  await repeated(parts, `ChangeMessageVisibility on queue "${name}"`, async () => {
    try {
      await parts.client.send(new ChangeMessageVisibilityCommand(input))
    } catch (error) {
      if (!VOID.test(sdkErrorOf(error).problem)) throw error
    }
    return undefined
  })
}

/** @param step - resolves with what is left to do, in words; undefined: nothing */
async function repeated(
  { clock }: SettleParts,
  what: string,
  step: () => Promise<string | undefined>,
): Promise<void> {
  let problem: unknown
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    try {
      const left = await step()
      if (left === undefined) return
      problem = new StorageError(`${what}: ${left}`)
    } catch (thrown) {
      problem = sqsError(thrown, what)
      if (!isEddyError(problem) || !problem.retryable) throw problem
    }
    if (tries < MAX_TRIES) await clock.sleep(FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + clock.random()))
  }
  throw problem
}
