import { QueueNotFoundError } from '../errors/queue-errors.ts'
import { keys } from '../fail/keys.ts'
import { valueAt } from '../model/field-path.ts'
import type { NewMessage, QueueDefinition, SendOutcome } from '../model/message.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import type { Engine } from '../ports/engine.ts'
import type { AppendEntry, AppendResult } from '../ports/log.ts'
import type { QueueMessage, SendResult } from '../ports/queue.ts'
import { LaneTurns } from './lane-turns.ts'
import { type MessageContext, prepareMessage } from './prepare-message.ts'
import type { PendingEntry } from './select-batch.ts'
import { behindUnaccepted, type Sending, type SendOptions, sendWindow } from './send-window.ts'
import { randomUuid } from './uuid.ts'

/** Messages of a call that are encoded and under way at a time (I6); the call's later ones follow. */
const WINDOW_MESSAGES = 2_000

const SEND_OPTIONS: SendOptions = {
  maxTries: 8,
  deadlineMs: 60_000,
  initialDelayMs: 50,
  maxDelayMs: 5_000,
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
  readonly #turns = new Map<string, LaneTurns>()
  #alone = 0

  constructor(engine: Engine, queues: ReadonlyMap<string, QueueDefinition>) {
    this.#engine = engine
    this.#queues = queues
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
    const outcomes: (AppendOutcome | undefined)[] = new Array(messages.length)
    const { clock } = this.#engine
    const turns = this.#turns.get(name) ?? new LaneTurns()
    this.#turns.set(name, turns)
    const lanes = messages.map((message) => this.#laneOf(message, queue))
    const sending: Sending = {
      log: { append: (source, entries) => this.#sendBatch(source, entries as readonly MessageEntry[]) },
      clock,
      stream: keys.queue(name),
      options: SEND_OPTIONS,
      // Before anything is awaited: calls take their turns in the order in which they were made.
      turn: turns.enter(lanes),
      closedLanes: new Set(),
      accepted: 0,
      settle: (index, outcome) => {
        outcomes[index] = outcome
      },
    }
    const context: MessageContext = {
      queue,
      newId: () => randomUuid(clock),
      nowMs: clock.now(),
      md5Hex: (text) => this.#engine.md5Hex(text),
    }
    try {
      for (let from = 0; from < messages.length; from += WINDOW_MESSAGES) {
        const window = messages.slice(from, from + WINDOW_MESSAGES)
        await sendWindow(sending, await prepareWindow(sending, window, from, lanes, context))
      }
    } finally {
      sending.turn.leaveAll()
      if (turns.size === 0) this.#turns.delete(name)
    }
    return outcomes.map((outcome) => toSendOutcome(outcome as AppendOutcome))
  }

  /** What must be sent in order: a group; everything else by itself. */
  #laneOf(message: NewMessage, { group }: QueueDefinition): string {
    this.#alone += 1
    if (group === undefined) return `${this.#alone}`
    const { group: stated, data } = (message ?? {}) as Partial<NewMessage>
    return JSON.stringify([stated ?? valueAt(data, group) ?? this.#alone])
  }

  async #sendBatch(source: string, entries: readonly MessageEntry[]): Promise<readonly AppendResult[]> {
    const messages = entries.map((entry) => entry.message)
    const results = await this.#engine.queue.send(source, messages)
    return results.map(toAppendResult)
  }
}

/** A message on its way, in the form that the sending of events knows. */
interface MessageEntry extends AppendEntry {
  readonly message: QueueMessage
}

async function prepareWindow(
  sending: Sending,
  window: readonly NewMessage[],
  from: number,
  lanes: readonly string[],
  context: MessageContext,
): Promise<readonly PendingEntry[]> {
  const entries: PendingEntry[] = []
  for (const [offset, message] of window.entries()) {
    const index = from + offset
    const lane = lanes[index] as string
    const settle = (outcome: AppendOutcome): void => {
      sending.settle(index, outcome)
      sending.turn.settle(lane)
    }
    if (sending.closedLanes.has(lane)) {
      settle(behindUnaccepted(lane))
      continue
    }
    const preparing = prepareMessage(message, context)
    const prepared = preparing instanceof Promise ? await preparing : preparing
    if (!prepared.ok) {
      settle(prepared.outcome)
      continue
    }
    const { id, bytes: data, message: ready } = prepared
    const entry: MessageEntry = { partitionKey: lane, data, message: ready }
    entries.push({ index, id, lane, entry, tries: 0, notBeforeMs: 0, firstSentMs: undefined })
  }
  return entries
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
