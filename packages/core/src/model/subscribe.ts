import { InvalidOptionError } from '../errors/request-errors.ts'
import { compileFilter } from '../policies/filter.ts'
import { subscriptionPolicy } from '../policies/subscription-policy.ts'
import type { From, StreamDefinition, SubscribeOptions, SubscriptionDefinition } from './app.ts'
import { checkHandlers } from './check-handlers.ts'
import { brandedWithStream, isDefinition } from './definition.ts'
import type { EventFilter } from './filter.ts'
import { checkFunction, checkInteger, checkName, checkObject, checkOneOf } from './option-checks.ts'

const DAY_MS = 24 * 3_600_000
const MIB = 1_048_576

const OPTIONS = [
  'from',
  'filter',
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
 * A named reader of a stream: a handler, a checkpoint per shard, a failure policy.
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
  stream: StreamDefinition<Data>,
  options: SubscribeOptions<Data>,
): SubscriptionDefinition<Data> {
  checkName('subscribe(name)', name)
  const path = `subscribe("${name}")`
  if (!isDefinition('stream', stream)) {
    throw new InvalidOptionError(`${path}, second argument`, 'a stream made with stream()', stream)
  }
  checkObject(path, options, OPTIONS)
  const {
    ledgerRetentionMs = 14 * DAY_MS,
    maxBufferedRecords = 4_096,
    maxBufferedBytes = 32 * MIB,
    threads = 0,
  } = options
  const definition: SubscriptionDefinition<Data> = {
    kind: 'subscription',
    name,
    stream: stream.name,
    schema: stream.schema as SubscriptionDefinition<Data>['schema'],
    from: checkFrom(`${path}.from`, options.from),
    filter: checkFilter(`${path}.filter`, options.filter),
    ...subscriptionPolicy(options, path),
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
  return brandedWithStream(definition, stream)
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
