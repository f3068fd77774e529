import {
  type AppDefinition,
  defineApp,
  type FailureOptions,
  type Handler,
  type NewMessage,
  type QueueSubscribeOptions,
  queue,
  subscribe,
} from '@eddy/core'

export interface OneQueue extends Omit<QueueSubscribeOptions<unknown>, 'failure' | 'handle'> {
  /** Messages are in groups by `data.group`. */
  readonly grouped?: boolean
  readonly deduplicationWindowMs?: number
  readonly handle?: Handler
}

/** An application whose only subscription, `work`, reads the queue `tasks`. */
export function oneQueue(failure: FailureOptions, options: OneQueue = {}): AppDefinition {
  const { grouped = false, deduplicationWindowMs, handle = () => {}, ...rest } = options
  const tasks = queue('tasks', {
    ...(grouped && { group: 'group' }),
    ...(deduplicationWindowMs !== undefined && { deduplicationWindowMs }),
  })
  return defineApp({ subscriptions: [subscribe('work', tasks, { ...rest, failure, handle })] })
}

export function task(id: string, more: Partial<NewMessage> = {}): NewMessage {
  return { id, data: {}, ...more }
}

/** A message of a group: `a1` is of group `a`. */
export function grouped(id: string): NewMessage {
  return { id, data: { group: id[0] } }
}
