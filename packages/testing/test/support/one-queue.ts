import {
  type AppDefinition,
  type BatchHandler,
  type BatchOptions,
  defineApp,
  type FailureOptions,
  type Handler,
  type NewMessage,
  queue,
  type ReadingOptions,
  subscribe,
} from '@eddy/core'

export interface OneQueue extends Omit<ReadingOptions<unknown>, 'failure' | 'from' | 'filter'> {
  /** Messages are in groups by `data.group`. */
  readonly grouped?: boolean
  readonly deduplicationWindowMs?: number
  readonly handle?: Handler
  /** Instead of `handle`. */
  readonly handleBatch?: BatchHandler
  readonly batch?: BatchOptions
}

/** An application whose only subscription, `work`, reads the queue `tasks`. */
export function oneQueue(failure: FailureOptions, options: OneQueue = {}): AppDefinition {
  const { grouped = false, deduplicationWindowMs, handle = () => {}, handleBatch, batch, ...rest } = options
  const handler =
    handleBatch === undefined ? { handle } : { handleBatch, ...(batch !== undefined && { batch }) }
  const tasks = queue('tasks', {
    ...(grouped && { group: 'group' }),
    ...(deduplicationWindowMs !== undefined && { deduplicationWindowMs }),
  })
  return defineApp({ subscriptions: [subscribe('work', tasks, { ...rest, ...handler, failure })] })
}

export function task(id: string, more: Partial<NewMessage> = {}): NewMessage {
  return { id, data: {}, ...more }
}

/** A message of a group: `a1` is of group `a`. */
export function grouped(id: string): NewMessage {
  return { id, data: { group: id[0] } }
}
