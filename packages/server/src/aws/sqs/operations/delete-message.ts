import type { AwsStructure } from '../../aws-service.ts'
import { removal } from '../burials.ts'
import { requiredText } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { parseReceiptHandle } from '../messages/receipt-handle.ts'
import { readEntries, runEntries } from '../messages/run-batch.ts'
import { invalidReceipt, invalidValue } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import { queueOf, type SqsOperation } from './operation.ts'

export const deleteMessage: SqsOperation = async (world, input, call) => {
  return await remove(world, queueOf(world, input, call), input)
}

export const deleteMessageBatch: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const entries = readEntries(input, 'DeleteMessageBatchRequestEntry')
  return await runEntries(entries, (entry) => remove(world, queue, entry))
}

/** A standard queue takes any receipt of the message, a FIFO queue the last one while it counts. */
async function remove(world: SqsWorld, queue: LiveQueue, input: AwsStructure): Promise<AwsStructure> {
  const handle = requiredText(input, 'ReceiptHandle')
  const receipt = parseReceiptHandle(handle, queue.id)
  const message = queue.state.get(receipt.sequence)
  if (message === undefined) {
    await world.journal.commit({})
    return {}
  }
  if (receipt.receiveCount > message.receiveCount) throw invalidReceipt()
  const isCurrent = message.phase === 'in-flight' && message.receiveCount === receipt.receiveCount
  if (queue.fifo && !isCurrent) {
    throw invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.')
  }
  queue.state.remove(message)
  queue.waiters.wake()
  await world.journal.commit(removal(queue, [message]))
  return {}
}
