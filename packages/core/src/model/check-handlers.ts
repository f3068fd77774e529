import { InvalidOptionError } from '../errors/request-errors.ts'
import type { HandleOptions, SubscriptionDefinition } from './app.ts'
import type { BatchDefinition, BatchOptions } from './batch.ts'
import { checkFunction, checkInteger, checkObject } from './option-checks.ts'

const MIB = 1_048_576
const MAX_EVENTS = 10_000
const MAX_WAIT_MS = 300_000
const DEFAULT_EVENTS = 100
const DEFAULT_BYTES = 8 * MIB
const MAX_BYTES = 1_024 * MIB

/** What a handler of batches depends on. A batch that could not be in the buffer would never be full. */
interface Surroundings {
  readonly threads: number
  readonly maxBufferedRecords: number
  readonly maxBufferedBytes: number
}

/**
 * The subscription's handler: of single events or of batches.
 *
 * @throws InvalidOptionError when there is none or both, or a batch could never be full
 */
export function checkHandlers<Data>(
  path: string,
  options: HandleOptions<Data>,
  around: Surroundings,
): Pick<SubscriptionDefinition<Data>, 'handle' | 'batch'> {
  const { handle, handleBatch, batch } = options
  if (handleBatch === undefined) {
    if (batch !== undefined)
      throw new InvalidOptionError(`${path}.batch`, 'nothing without handleBatch, which it describes', batch)
    if (typeof handle === 'function') return { handle, batch: undefined }
    throw new InvalidOptionError(
      `${path}.handle`,
      'a function (or handleBatch, for several events in a call)',
      handle,
    )
  }
  if (around.threads > 0)
    throw new InvalidOptionError(
      `${path}.threads`,
      'none with handleBatch, which runs on this thread',
      around.threads,
    )
  if (handle !== undefined)
    throw new InvalidOptionError(`${path}.handle`, 'nothing beside handleBatch: one of the two', handle)
  return {
    handle: undefined,
    batch: Object.freeze({
      handle: checkFunction(`${path}.handleBatch`, handleBatch),
      ...checkBatch(`${path}.batch`, batch ?? {}, around),
    }),
  }
}

function checkBatch(
  path: string,
  options: BatchOptions,
  around: Surroundings,
): Omit<BatchDefinition, 'handle'> {
  const from = checkObject(path, options, ['maxEvents', 'maxWaitMs', 'maxBytes'])
  const { maxBufferedBytes } = around
  // Intake may stop when half of the buffer is free, since it takes in many records at a time.
  const mostEvents = Math.max(1, Math.floor(around.maxBufferedRecords / 2))
  const maxEvents = checkInteger(
    `${path}.maxEvents`,
    from.maxEvents ?? Math.min(DEFAULT_EVENTS, mostEvents),
    1,
    MAX_EVENTS,
  )
  const maxBytes = checkInteger(
    `${path}.maxBytes`,
    from.maxBytes ?? Math.min(DEFAULT_BYTES, maxBufferedBytes),
    1,
    MAX_BYTES,
  )
  if (maxEvents > mostEvents)
    throw tooLarge(`${path}.maxEvents`, 'half of maxBufferedRecords', mostEvents, maxEvents)
  if (maxBytes > maxBufferedBytes)
    throw tooLarge(`${path}.maxBytes`, 'maxBufferedBytes', maxBufferedBytes, maxBytes)
  return {
    maxEvents,
    maxBytes,
    maxWaitMs: checkInteger(`${path}.maxWaitMs`, from.maxWaitMs ?? 0, 0, MAX_WAIT_MS),
  }
}

function tooLarge(path: string, bound: string, limit: number, value: number): InvalidOptionError {
  return new InvalidOptionError(path, `at most ${bound}, which is ${limit} (raise that too)`, value)
}
