import type { LiveQueue } from '../live-queue.ts'
import { type QueuePlace, queueArn } from '../queue-names.ts'
import { ATTRIBUTE_RULES, type AttributeRule } from './attribute-rules.ts'

/** All attributes of a queue, with the values that count; settled up to now. */
export function showAttributes(queue: LiveQueue, place: QueuePlace): ReadonlyMap<string, string> {
  const { stored, state } = queue
  const shown = new Map<string, string>([
    ['QueueArn', queueArn(place, queue.name)],
    ['ApproximateNumberOfMessages', String(state.count('ready'))],
    ['ApproximateNumberOfMessagesNotVisible', String(state.count('in-flight'))],
    ['ApproximateNumberOfMessagesDelayed', String(state.count('delayed'))],
    ['CreatedTimestamp', seconds(stored.createdAtMs)],
    ['LastModifiedTimestamp', seconds(stored.modifiedAtMs)],
  ])
  for (const [name, rule] of Object.entries<AttributeRule>(ATTRIBUTE_RULES)) {
    const value = stored.attributes[name] ?? standardValue(queue, name, rule)
    if (value !== undefined) shown.set(name, value)
  }
  if (queue.fifo) shown.set('FifoQueue', 'true')
  return shown
}

/** Undefined: a queue that it was not set for does not have it. */
function standardValue(queue: LiveQueue, name: string, rule: AttributeRule): string | undefined {
  const hasKey = queue.stored.attributes.KmsMasterKeyId !== undefined
  if (name === 'KmsDataKeyReusePeriodSeconds' && !hasKey) return undefined
  if (name === 'SqsManagedSseEnabled' && hasKey) return 'false'
  switch (rule.kind) {
    case 'whole':
      return String(rule.default)
    case 'choice':
      return rule.fifoOnly && !queue.fifo ? undefined : rule.default
    case 'text':
      return undefined
  }
}

function seconds(epochMs: number): string {
  return String(Math.floor(epochMs / 1_000))
}
