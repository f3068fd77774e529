import { nameFromArn, type QueuePlace, queueArn } from '../queue-names.ts'
import { invalidAttribute, invalidValue, unknownAttribute, unsupported } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import { ATTRIBUTE_RULES, type AttributeRule, checkAttribute, isSettable } from './attribute-rules.ts'
import { allowsSource, parseRedriveAllowPolicy, parseRedrivePolicy } from './redrive-policy.ts'

export interface QueueKind {
  readonly name: string
  readonly fifo: boolean
}

type Attributes = { readonly [name: string]: string }

/**
 * The attributes that a queue has once these are set: text attributes that are set to nothing are gone.
 *
 * @throws AwsError for one that cannot be set, a value that the service refuses, or two that do not go together
 */
export function withAttributes(
  world: SqsWorld,
  queue: QueueKind & { readonly attributes: Attributes },
  given: ReadonlyMap<string, string>,
  place: QueuePlace,
): Attributes {
  for (const [name, value] of given) checkOne(queue, name, value)
  const merged = { ...queue.attributes, ...Object.fromEntries(given) }
  const attributes = Object.fromEntries(
    Object.entries(merged)
      .filter(([name, value]) => isSettable(name) && value !== '')
      .map(([name, value]) => [name, canonicalValue(name, value)]),
  )
  if (given.has('RedrivePolicy')) checkRedrive(world, queue, attributes.RedrivePolicy, place)
  if (given.has('RedriveAllowPolicy')) parseRedriveAllowPolicy(attributes.RedriveAllowPolicy)
  if (
    attributes.FifoThroughputLimit === 'perMessageGroupId' &&
    attributes.DeduplicationScope !== 'messageGroup'
  ) {
    throw invalidAttribute(
      'FifoThroughputLimit',
      'perMessageGroupId is allowed only when DeduplicationScope is messageGroup.',
    )
  }
  if (given.get('SqsManagedSseEnabled') === 'true' && attributes.KmsMasterKeyId !== undefined) {
    throw invalidAttribute(
      'SqsManagedSseEnabled',
      'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.',
    )
  }
  return attributes
}

/** A redrive policy is kept, and shown, as the service writes it: its two members, the count as a number. */
export function canonicalValue(name: string, value: string): string {
  const policy = name === 'RedrivePolicy' ? parseRedrivePolicy(value) : undefined
  return policy === undefined ? value : JSON.stringify(policy)
}

function checkOne(queue: QueueKind, name: string, value: string): void {
  if (name === 'FifoQueue') {
    if (!queue.fifo) throw unknownAttribute(name)
    if (value !== 'true') throw invalidAttribute(name)
    return
  }
  if (name === 'Policy') {
    // To keep a policy and not to enforce it would be a made-up success.
    if (value !== '')
      throw unsupported('Access policies are not enforced by this endpoint, so none is taken.')
    return
  }
  if (!isSettable(name)) throw unknownAttribute(name)
  const rule: AttributeRule = ATTRIBUTE_RULES[name]
  if (rule.kind === 'choice' && rule.fifoOnly && !queue.fifo) throw unknownAttribute(name)
  checkAttribute(name, value)
}

function checkRedrive(world: SqsWorld, queue: QueueKind, text: string | undefined, place: QueuePlace): void {
  const policy = parseRedrivePolicy(text)
  if (policy === undefined || text === undefined) return
  const wrong = (reason: string) => invalidValue(text, 'RedrivePolicy', reason)
  const name = nameFromArn(policy.deadLetterTargetArn, place)
  const target = name === undefined ? undefined : world.queues.get(name)
  if (target === undefined) throw wrong('Dead letter target does not exist.')
  if (target.fifo !== queue.fifo) {
    throw wrong('Dead-letter queue must be same type of queue as the source.')
  }
  const allowed = parseRedriveAllowPolicy(target.stored.attributes.RedriveAllowPolicy)
  if (!allowsSource(allowed, queueArn(place, queue.name))) {
    throw wrong('Source queue is not allowed by the RedriveAllowPolicy of the dead-letter queue.')
  }
}
