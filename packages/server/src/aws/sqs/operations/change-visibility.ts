import type { AwsStructure } from '../../aws-service.ts'
import { requiredText, wholeIn } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { parseReceiptHandle } from '../messages/receipt-handle.ts'
import { readEntries, runEntries } from '../messages/run-batch.ts'
import { invalidValue, missingParameter, prefixed } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import { messageItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

/** From the receive on, all changes together. */
const MAX_TOTAL_S = 43_200

export const changeMessageVisibility: SqsOperation = async (world, input, call) => {
  return await change(world, queueOf(world, input, call), input)
}

export const changeMessageVisibilityBatch: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const entries = readEntries(input, 'ChangeMessageVisibilityBatchRequestEntry')
  return await runEntries(entries, (entry) => change(world, queue, entry))
}

async function change(world: SqsWorld, queue: LiveQueue, input: AwsStructure): Promise<AwsStructure> {
  const handle = requiredText(input, 'ReceiptHandle')
  const seconds = wholeIn(input, 'VisibilityTimeout', {
    min: 0,
    max: MAX_TOTAL_S,
    reason: `Must be between 0 and ${MAX_TOTAL_S}.`,
  })
  if (seconds === undefined) throw missingParameter('VisibilityTimeout')
  const receipt = parseReceiptHandle(handle, queue.id)
  const message = queue.state.get(receipt.sequence)
  if (message === undefined) {
    throw invalidValue(
      handle,
      'ReceiptHandle',
      'Message does not exist or is not available for visibility timeout change.',
    )
  }
  if (message.phase !== 'in-flight' || message.receiveCount !== receipt.receiveCount) {
    if (queue.fifo) throw invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.')
    throw prefixed('MessageNotInflight', 'The specified message is not in flight.')
  }
  const nowMs = world.clock.now()
  const heldMs = nowMs - (message.receivedAtMs ?? nowMs)
  if (heldMs + 1_000 * seconds > 1_000 * MAX_TOTAL_S) {
    throw invalidValue(
      seconds,
      'VisibilityTimeout',
      `Total VisibilityTimeout for the message is beyond the limit [${MAX_TOTAL_S} seconds].`,
    )
  }
  queue.state.hide(message, nowMs + 1_000 * seconds, nowMs)
  queue.waiters.wake()
  await world.journal.commit({ puts: [messageItem(queue, message)] })
  return {}
}
