import type { AwsCall, AwsStructure } from '../../aws-service.ts'
import { requiredText } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { nameFromUrl } from '../queue-names.ts'
import type { SqsWorld } from '../sqs-world.ts'

/** An operation on the queues as they were loaded. What it answers is durable by then (I1). */
export type SqsOperation = (world: SqsWorld, input: AwsStructure, call: AwsCall) => Promise<AwsStructure>

/** The queue that `QueueUrl` names, brought up to now. @throws AwsError if there is none */
export function queueOf(world: SqsWorld, input: AwsStructure, call: AwsCall): LiveQueue {
  const queue = world.queue(nameFromUrl(requiredText(input, 'QueueUrl'), call))
  world.settle(queue)
  return queue
}
