import { QueueNotFoundError } from '../errors/queue-errors.ts'
import { keys } from '../fail/keys.ts'
import { valueAt } from '../model/field-path.ts'
import type { NewMessage, QueueDefinition, SendOutcome } from '../model/message.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import type { Engine } from '../ports/engine.ts'
import type { AppendEntry, AppendResult } from '../ports/log.ts'
import type { QueueMessage, SendResult } from '../ports/queue.ts'
import { appendAll } from './append-all.ts'
import { MAX_BATCH_ENTRIES } from './batch.ts'
import type { Prepared } from './pending-record.ts'
import { type MessageContext, type PreparedMessage, prepareMessage } from './prepare-message.ts'
import type { ProducerLog } from './producer-log.ts'
import type { WriterOptions } from './stream-writer.ts'
import { StreamWriters } from './stream-writers.ts'
import { randomUuid } from './uuid.ts'

const SEND_OPTIONS: WriterOptions = {
  maxTries: 8,
  giveUpAfterMs: 60_000,
  initialDelayMs: 50,
  maxDelayMs: 5_000,
  maxInFlight: 64,
  maxBatchRecords: MAX_BATCH_ENTRIES,
}

/**
 * Sends messages to queues: encodes, batches, sends again what failed retryably, and reports every message's fate. The
 * same way as events are appended; what orders events there is the group here.
 *
 * A message without a deduplication id whose fate was not known, and that is sent again, may be there twice.
 */
export class Sender {
  readonly #engine: Engine
  readonly #queues: ReadonlyMap<string, QueueDefinition>
  readonly #writers: StreamWriters
  #alone = 0

  constructor(engine: Engine, queues: ReadonlyMap<string, QueueDefinition>) {
    this.#engine = engine
    this.#queues = queues
    const { clock } = engine
    const md5Hex = (text: string): string => engine.md5Hex(text)
    this.#writers = new StreamWriters({ log: queueAsLog(engine), clock, md5Hex, options: SEND_OPTIONS })
  }

  /**
   * @param deduplicationWindowMs - at least this long, whatever the queue says
   * @returns one outcome a message, in request order; an invalid one fails alone
   * @throws QueueNotFoundError, and errors that no message could escape, when nothing was accepted yet
   */
  async send(
    name: string,
    messages: readonly NewMessage[],
    deduplicationWindowMs = 0,
  ): Promise<readonly SendOutcome[]> {
    const known = this.#queues.get(name)
    if (known === undefined) throw new QueueNotFoundError(name)
    const queue = {
      ...known,
      deduplicationWindowMs: Math.max(known.deduplicationWindowMs, deduplicationWindowMs),
    }
    const { clock } = this.#engine
    const context: MessageContext = {
      queue,
      newId: () => randomUuid(clock),
      nowMs: clock.now(),
      md5Hex: (text) => this.#engine.md5Hex(text),
    }
    const lanes = messages.map((message) => this.#laneOf(message, queue))
    const outcomes = await appendAll({
      ...this.#writers.of(keys.queue(name), 'key'),
      items: messages,
      laneOf: (_message, index) => lanes[index] as string,
      prepare: (message, index) => {
        const preparing = prepareMessage(message, context)
        const finish = (prepared: PreparedMessage): Prepared => toPrepared(prepared, lanes[index] as string)
        return preparing instanceof Promise ? preparing.then(finish) : finish(preparing)
      },
    })
    return outcomes.map(toSendOutcome)
  }

  /** What must be sent in order: a group; everything else by itself. */
  #laneOf(message: NewMessage, { group }: QueueDefinition): string {
    this.#alone += 1
    if (group === undefined) return `${this.#alone}`
    const { group: stated, data } = (message ?? {}) as Partial<NewMessage>
    return JSON.stringify([stated ?? valueAt(data, group) ?? this.#alone])
  }
}

/** A message on its way, in the form that the sending of events knows. */
interface MessageEntry extends AppendEntry {
  readonly message: QueueMessage
}

/** A queue as something to append to. An engine whose log takes or refuses entries one by one does so with messages. */
function queueAsLog(engine: Engine): ProducerLog {
  return {
    keepsKeyOrder: engine.log.keepsKeyOrder,
    dropsCopies: true,
    describeStream: async () => ({}),
    listShards: async () => [],
    append: async (source, entries) => {
      const messages = (entries as readonly MessageEntry[]).map((entry) => entry.message)
      const results = await engine.queue.send(source, messages)
      return results.map(toAppendResult)
    },
  }
}

function toPrepared(prepared: PreparedMessage, lane: string): Prepared {
  if (!prepared.ok) return prepared
  const { id, bytes: data, message } = prepared
  const entry: MessageEntry = { partitionKey: lane, data, message }
  return { ok: true, record: { id, lane, entry, isOwnMark: true } }
}

function toAppendResult(result: SendResult): AppendResult {
  return result.ok
    ? { ok: true, shardId: 'queue', sequenceNumber: result.messageId, duplicate: result.duplicate === true }
    : {
        ok: false,
        code: result.retryable ? 'internal' : 'invalid',
        retryable: result.retryable,
        message: result.message,
      }
}

function toSendOutcome(outcome: AppendOutcome): SendOutcome {
  if (!outcome.ok) return outcome
  return { ok: true, id: outcome.id, messageId: outcome.sequenceNumber, duplicate: outcome.duplicate }
}
