import { InvalidOptionError } from '../errors/request-errors.ts'
import { compileFilter } from '../policies/filter.ts'
import { checkQueueBlocks } from '../policies/queue-blocks.ts'
import { subscriptionPolicy } from '../policies/subscription-policy.ts'
import type {
  From,
  QueueSubscribeOptions,
  StreamDefinition,
  SubscribeOptions,
  SubscriptionDefinition,
} from './app.ts'
import { checkHandlers } from './check-handlers.ts'
import { brandedWithSource, isDefinition } from './definition.ts'
import type { EventFilter } from './filter.ts'
import { type QueueDefinition, queueSource } from './message.ts'
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkName,
  checkObject,
  checkOneOf,
} from './option-checks.ts'
import type { SubscriptionPolicy } from './policy.ts'

const DAY_MS = 24 * 3_600_000
const MIB = 1_048_576

const OPTIONS = [
  'from',
  'filter',
  'strays',
  'fanOut',
  'priority',
  'concurrency',
  'timeoutMs',
  'failure',
  'protect',
  'handle',
  'handleBatch',
  'batch',
  'onExhausted',
  'ledgerRetentionMs',
  'maxBufferedRecords',
  'maxBufferedBytes',
  'threads',
]

/**
 * A named reader of a stream or a queue: a handler, a checkpoint per shard, a failure policy.
 *
 * A queue has one reader, without `from`, `filter` and `blocks: 'shard'`. With groups its author states `blocks`: with
 * `'key'` a group waits while its failed message is retried, with `'nothing'` it goes on.
 *
 * @param name - 1 to 128 characters of `a-zA-Z0-9_.-`; checkpoints and failures are kept under it
 * @throws InvalidOptionError that names the option by its path
 * @example
 * subscribe('billing', orders, {
 *   failure: { blocks: 'key', exhausted: 'hold', retry: exponential({ maxAttempts: 5 }) },
 *   handle: async (event, ctx) => { … },
 * })
 */
export function subscribe<Data>(
  name: string,
  source: StreamDefinition<Data>,
  options: SubscribeOptions<Data>,
): SubscriptionDefinition<Data>
export function subscribe<Data>(
  name: string,
  source: QueueDefinition<Data>,
  options: QueueSubscribeOptions<Data>,
): SubscriptionDefinition<Data>
export function subscribe<Data>(
  name: string,
  source: StreamDefinition<Data> | QueueDefinition<Data>,
  options: SubscribeOptions<Data>,
): SubscriptionDefinition<Data> {
  checkName('subscribe(name)', name)
  const path = `subscribe("${name}")`
  if (!isDefinition('stream', source) && !isDefinition('queue', source)) {
    const expected = 'a stream made with stream(), or a queue made with queue()'
    throw new InvalidOptionError(`${path}, second argument`, expected, source)
  }
  checkObject(path, options, OPTIONS)
  if (source.kind === 'queue') checkOfQueue(path, source, options)
  const {
    ledgerRetentionMs = 14 * DAY_MS,
    maxBufferedRecords = 4_096,
    maxBufferedBytes = 32 * MIB,
    threads = 0,
  } = options
  const definition: SubscriptionDefinition<Data> = {
    kind: 'subscription',
    name,
    stream: source.kind === 'queue' ? queueSource(source.name) : source.name,
    queue: source.kind === 'queue' ? source : undefined,
    schema: source.schema as SubscriptionDefinition<Data>['schema'],
    from: checkFrom(`${path}.from`, options.from),
    filter: checkFilter(`${path}.filter`, options.filter),
    strays: checkOneOf<'drop' | 'keep'>(`${path}.strays`, options.strays ?? 'drop', ['drop', 'keep']),
    fanOut: checkBoolean(`${path}.fanOut`, options.fanOut ?? false),
    priority: checkInteger(`${path}.priority`, options.priority ?? 0, 0, 100),
    ...ownPolicy(source, subscriptionPolicy(options, path), path),
    ...checkHandlers(path, options, { threads, maxBufferedRecords, maxBufferedBytes }),
    onExhausted:
      options.onExhausted === undefined
        ? undefined
        : checkFunction(`${path}.onExhausted`, options.onExhausted),
    ledgerRetentionMs: checkInteger(`${path}.ledgerRetentionMs`, ledgerRetentionMs, 1_000, 365 * DAY_MS),
    maxBufferedRecords: checkInteger(`${path}.maxBufferedRecords`, maxBufferedRecords, 1, 1_000_000),
    maxBufferedBytes: checkInteger(`${path}.maxBufferedBytes`, maxBufferedBytes, 1, 1_024 * MIB),
    threads: checkInteger(`${path}.threads`, threads, 0, 64),
  }
  return brandedWithSource(definition, source)
}

function checkOfQueue(
  path: string,
  { name, group }: QueueDefinition,
  options: {
    readonly from?: unknown
    readonly filter?: unknown
    readonly strays?: unknown
    readonly fanOut?: unknown
    readonly priority?: unknown
    readonly failure?: { readonly blocks?: unknown }
  },
): void {
  for (const option of ['from', 'filter', 'strays', 'fanOut', 'priority'] as const) {
    if (options[option] === undefined) continue
    const why = {
      from: 'its messages are there once, and have no position to begin at',
      filter: 'a message that it passed over would be gone',
      strays: 'its messages are no aggregates',
      fanOut: 'it has no shards',
      priority: 'it has no history to read',
    }[option]
    throw new InvalidOptionError(
      `${path}.${option}`,
      `nothing, since "${name}" is a queue: ${why}`,
      options[option],
    )
  }
  if (group !== undefined && options.failure?.blocks === undefined) {
    throw new InvalidOptionError(
      `${path}.failure.blocks`,
      `a choice, since queue "${name}" has groups: 'key' (a group waits while its failed message is retried) or 'nothing' (it goes on)`,
      undefined,
    )
  }
}

function ownPolicy(
  source: StreamDefinition | QueueDefinition,
  policy: SubscriptionPolicy,
  path: string,
): SubscriptionPolicy {
  if (source.kind === 'queue') checkQueueBlocks(`${path}.failure`, source, policy.failure.blocks)
  return policy
}

function checkFrom(path: string, from: unknown): From {
  if (from === undefined) return 'trim_horizon'
  if (typeof from === 'string')
    return checkOneOf<'trim_horizon' | 'latest'>(path, from, ['trim_horizon', 'latest'])
  const { timestampMs } = checkObject(
    path,
    from,
    ['timestampMs'],
    `'trim_horizon', 'latest' or { timestampMs }`,
  )
  return Object.freeze({ timestampMs: checkInteger(`${path}.timestampMs`, timestampMs, 0, 8.64e15) })
}

/** Compiled once here, so that a mistake in it is found at definition and not at the first event. */
function checkFilter(path: string, filter: EventFilter | undefined): EventFilter | undefined {
  if (filter === undefined) return undefined
  compileFilter(filter, path)
  return filter
}
