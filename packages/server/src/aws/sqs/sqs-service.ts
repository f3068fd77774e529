import type { Clock, Table } from '@eddy/core'
import type { AwsOperation, AwsService } from '../aws-service.ts'
import { sqsModel } from '../model/sqs-model.ts'
import { changeMessageVisibility, changeMessageVisibilityBatch } from './operations/change-visibility.ts'
import { createQueue } from './operations/create-queue.ts'
import { deleteMessage, deleteMessageBatch } from './operations/delete-message.ts'
import { deleteQueue } from './operations/delete-queue.ts'
import { getQueueUrl, listDeadLetterSourceQueues, listQueues } from './operations/list-queues.ts'
import { cancelMessageMoveTask, listMessageMoveTasks, startMessageMoveTask } from './operations/move-tasks.ts'
import type { SqsOperation } from './operations/operation.ts'
import { purgeQueue } from './operations/purge-queue.ts'
import { getQueueAttributes, setQueueAttributes } from './operations/queue-attributes.ts'
import { receiveMessage } from './operations/receive-message.ts'
import { sendMessage, sendMessageBatch } from './operations/send-message.ts'
import { listQueueTags, tagQueue, untagQueue } from './operations/tags.ts'
import { SQS_LIMITS, type SqsLimits } from './sqs-limits.ts'
import { WorldKeeper } from './world-keeper.ts'

export interface SqsServiceOptions {
  /** One process at a time; what is in it under `aws-sqs/` is this service's. */
  readonly table: Table
  readonly clock: Clock
  /** Aborts when the server stops: long polls, sweeps and move tasks end. */
  readonly signal: AbortSignal
  readonly limits?: Partial<SqsLimits>
  /** Nothing is written, not even what would be tidied; only operations that read may be called. */
  readonly readOnly?: boolean
}

const OPERATIONS: Readonly<Record<string, SqsOperation>> = {
  CancelMessageMoveTask: cancelMessageMoveTask,
  ChangeMessageVisibility: changeMessageVisibility,
  ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
  CreateQueue: createQueue,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  DeleteQueue: deleteQueue,
  GetQueueAttributes: getQueueAttributes,
  GetQueueUrl: getQueueUrl,
  ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
  ListMessageMoveTasks: listMessageMoveTasks,
  ListQueueTags: listQueueTags,
  ListQueues: listQueues,
  PurgeQueue: purgeQueue,
  ReceiveMessage: receiveMessage,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  SetQueueAttributes: setQueueAttributes,
  StartMessageMoveTask: startMessageMoveTask,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
}

/**
 * Amazon SQS over the `Table` port. The state of the queues is in memory, loaded with the first call; every change is
 * durable before it is answered (I1), and a restart loses nothing: not visibility, receive counts, deduplication ids nor
 * move tasks.
 */
export function sqsService(options: SqsServiceOptions): AwsService {
  const keeper = new WorldKeeper({
    ...options,
    limits: { ...SQS_LIMITS, ...options.limits },
    readOnly: options.readOnly === true,
  })
  const operations = new Map<string, AwsOperation>()
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    operations.set(name, async (input, call) => await operation(await keeper.world(), input, call))
  }
  return { model: sqsModel, operations }
}
