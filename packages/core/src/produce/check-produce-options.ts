import { InvalidOptionError } from '../errors/request-errors.ts'
import { checkInteger } from '../model/option-checks.ts'
import { MAX_DELAY_MS } from '../policies/backoff.ts'
import type { Ordering, ProduceOptions } from './produce-options.ts'

const DEFAULT_BUFFERED_RECORDS = 100_000
const DEFAULT_BUFFERED_BYTES: number = 64 * 1024 * 1024
const ORDERINGS: readonly Ordering[] = ['key', 'strict', 'none']

export type CheckedProduceOptions<Item> = ProduceOptions<Item> &
  Required<Pick<ProduceOptions<Item>, 'maxBufferedRecords' | 'maxBufferedBytes'>>

/** With defaults. @throws InvalidOptionError */
export function checkProduceOptions<Item>(options: ProduceOptions<Item>): CheckedProduceOptions<Item> {
  const { ordering, deadlineMs, maxBufferedRecords, maxBufferedBytes } = options
  if (ordering !== undefined && !ORDERINGS.includes(ordering))
    throw new InvalidOptionError('ordering', '"key", "strict" or "none"', ordering)
  if (deadlineMs !== undefined) checkInteger('deadlineMs', deadlineMs, 0, MAX_DELAY_MS)
  return {
    ...options,
    maxBufferedRecords: checkInteger(
      'maxBufferedRecords',
      maxBufferedRecords ?? DEFAULT_BUFFERED_RECORDS,
      1,
      10_000_000,
    ),
    maxBufferedBytes: checkInteger(
      'maxBufferedBytes',
      maxBufferedBytes ?? DEFAULT_BUFFERED_BYTES,
      1_024,
      16 * 1024 ** 3,
    ),
  }
}
