import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidOptionError } from '../errors/request-errors.ts'
import { DEDUPLICATION_WINDOW_MS } from '../ports/queue.ts'
import { branded } from './definition.ts'
import type { QueueDefinition } from './message.ts'
import { checkInteger, checkName, checkObject } from './option-checks.ts'
import { checkSchema } from './schema.ts'

const DAY_MS = 24 * 3_600_000
const GROUP = /^[^.\s]{1,64}(?:\.[^.\s]{1,64}){0,9}$/

export interface QueueOptions<Data = unknown> {
  /**
   * Dot path of a field in `data`: messages with the same value there are handled one at a time, in the order they were
   * sent. Without it messages have no order.
   */
  readonly group?: string
  /** How long a deduplication id is remembered: 1 second to 24 hours; default 5 minutes. */
  readonly deduplicationWindowMs?: number
  /** A Standard Schema (zod, valibot, arktype, …) that every message's `data` must match. */
  readonly schema?: StandardSchemaV1<unknown, Data>
}

/**
 * Names a queue of messages: tasks that one subscription handles, in no order or in groups.
 *
 * @param name - 1 to 128 characters of `a-zA-Z0-9_.-`
 * @throws InvalidOptionError
 * @example const emails = queue('emails', { group: 'customer.id' })
 */
export function queue<Data = unknown>(name: string, options: QueueOptions<Data> = {}): QueueDefinition<Data> {
  checkName('queue(name)', name)
  const path = `queue("${name}")`
  checkObject(path, options, ['group', 'deduplicationWindowMs', 'schema'])
  const { group, deduplicationWindowMs = DEDUPLICATION_WINDOW_MS, schema } = options
  if (group !== undefined && !(typeof group === 'string' && GROUP.test(group))) {
    throw new InvalidOptionError(`${path}.group`, 'a field of data, such as customer.id', group)
  }
  return branded({
    kind: 'queue',
    name,
    group,
    deduplicationWindowMs: checkInteger(
      `${path}.deduplicationWindowMs`,
      deduplicationWindowMs,
      1_000,
      DAY_MS,
    ),
    schema: schema === undefined ? undefined : checkSchema(`${path}.schema`, schema),
  })
}
