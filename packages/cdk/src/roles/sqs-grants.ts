import { arn, type Grant, type Place } from './grant.ts'

/** A batch is allowed by the action of one message. The attributes: what a schedule calls the queue, how large a message may be. */
export function sendGrants(place: Place, queues: readonly string[]): readonly Grant[] {
  return grant(place, ['GetQueueAttributes', 'GetQueueUrl', 'SendMessage'], queues)
}

/** Lambda's poller receives and deletes by the function's role; the function itself delays by ChangeMessageVisibility. */
export function receiveGrants(place: Place, queues: readonly string[]): readonly Grant[] {
  return grant(
    place,
    ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'],
    queues,
  )
}

/** How much waits. */
export function depthGrants(place: Place, queues: readonly string[]): readonly Grant[] {
  return grant(place, ['GetQueueAttributes', 'GetQueueUrl'], queues)
}

/** What a person asks for: everything that waits in a queue is removed. */
export function purgeGrants(place: Place, queues: readonly string[]): readonly Grant[] {
  return grant(place, ['PurgeQueue'], queues)
}

function grant(place: Place, actions: readonly string[], queues: readonly string[]): readonly Grant[] {
  if (queues.length === 0) return []
  return [{ service: 'sqs', actions, resources: queues.map((queue) => arn(place, 'sqs', queue)) }]
}
