import {
  type AppDefinition,
  compareSequence,
  type Delivery,
  InvalidOptionError,
  type LogRecord,
  type SubscriptionDefinition,
} from '@eddy/core'
import { queueNameOf, streamNameOf } from '../resources/index.ts'
import { adoptMessages } from './adopt-messages.ts'
import { snsDelivery } from './deliveries.ts'
import type { HandlersOptions } from './handlers.ts'
import { shardBatch } from './kinesis-batch.ts'
import type { BatchResponse, SqsEvent, SqsRecord } from './lambda-events.ts'
import { type Lost, type LostRecords, lostIn, type ReadObject } from './lost-batches.ts'
import type { OpenFunction } from './open-function.ts'
import { objectReader } from './read-object.ts'

/** No batch has more, so its own are rescued together; of a longer range no more is in memory at a time (I6). */
const CHUNK_RECORDS = 10_000
const CHUNK_BYTES = 16 * 1_024 * 1_024
const PAGE = 1_000
/** Of a message in a dead-letter queue: what it is hidden for there does not matter here. */
const HIDDEN_MS = 60_000
const MAX_BYTES = 10 * 1_024 * 1_024

/**
 * Puts what a service gave up into the failure ledger of its subscription. Done again, it changes nothing.
 * @returns messages of SQS that are left; @throws for everything else that is: its service comes again with it
 */
export async function rescue(
  opened: OpenFunction,
  options: HandlersOptions,
  event: unknown,
  deadlineMs: number,
): Promise<BatchResponse> {
  const rescuer = new Rescuer(opened, options, deadlineMs)
  const { Records } = event as Partial<SqsEvent>
  if (Records?.[0]?.eventSource !== 'aws:sqs') {
    await rescuer.rescueAll(event)
    return { batchItemFailures: [] }
  }
  const batchItemFailures: { readonly itemIdentifier: string }[] = []
  for (const record of Records) {
    try {
      await rescuer.rescueAll({ Records: [record] })
    } catch (error) {
      opened.logger.error(
        { messageId: record.messageId, reason: String(error) },
        'what was given up is not rescued yet and comes again',
      )
      batchItemFailures.push({ itemIdentifier: record.messageId })
    }
  }
  return { batchItemFailures }
}

class Rescuer {
  readonly #opened: OpenFunction
  readonly #options: HandlersOptions
  readonly #deadlineMs: number
  readonly #readObject: ReadObject

  constructor(opened: OpenFunction, options: HandlersOptions, deadlineMs: number) {
    this.#opened = opened
    this.#options = options
    this.#deadlineMs = deadlineMs
    this.#readObject = options.readObject ?? objectReader(opened.engine.clock, opened.env)
  }

  async rescueAll(value: unknown): Promise<void> {
    for (const lost of await lostIn(value, this.#readObject)) await this.#rescue(lost)
  }

  async #rescue(lost: Lost): Promise<void> {
    switch (lost.kind) {
      case 'records':
        return await this.#rescueRecords(lost)
      case 'notices':
        return await this.#rescueMessages(
          this.#subscriptionOf(lost.functionArn, isOfQueue).name,
          lost.records.map(snsDelivery),
        )
      case 'message':
        return await this.#rescueMessage(lost.record)
    }
  }

  async #rescueRecords(lost: LostRecords): Promise<void> {
    const subscription = this.#subscriptionOf(lost.functionArn, (definition) => this.#isOf(definition, lost))
    const chunks =
      lost.records === undefined ? this.#read(subscription, lost) : [shardBatch(lost.records).records]
    const { condition, invokeCount, shardId } = lost
    const note = `its batch was given up after ${invokeCount} invocations: ${condition}`
    const deadlineMs = this.#deadlineMs
    const rescued = { entered: 0, late: 0, known: 0 }
    for await (const records of chunks) {
      const request = { subscription: subscription.name, shardId, records, note, deadlineMs }
      const { entered, late, known } = await this.#opened.invocations.rescueRecords(request)
      rescued.entered += entered
      rescued.late += late
      rescued.known += known
    }
    this.#opened.logger.warn(
      { subscription: subscription.name, shardId, condition, ...rescued },
      'records that were given up are in the failure ledger',
    )
  }

  async #rescueMessage(record: SqsRecord): Promise<void> {
    const { name, stream } = this.#readerOf(record)
    const { deliveries } = await adoptMessages(this.#opened.engine, stream, [record], HIDDEN_MS)
    if (deliveries.length === 0) throw new Error('its body cannot be read now')
    await this.#rescueMessages(name, deliveries)
  }

  async #rescueMessages(subscription: string, deliveries: readonly Delivery[]): Promise<void> {
    const note = 'its function was given up'
    const deadlineMs = this.#deadlineMs
    const rescued = await this.#opened.invocations.rescueMessages({
      subscription,
      deliveries,
      note,
      deadlineMs,
    })
    this.#opened.logger.warn(
      { subscription, ...rescued },
      'messages that were given up are in the failure ledger',
    )
  }

  /** Metadata alone names the first and the last record. With several lanes a shard, those of others lie between them. */
  async *#read(
    { name, stream }: SubscriptionDefinition,
    lost: LostRecords,
  ): AsyncGenerator<readonly LogRecord[]> {
    const { log } = this.#opened.engine
    const { logger } = this.#opened
    const { shardId, first, last, batchSize } = lost
    let records: LogRecord[] = []
    let found = 0
    let expired = 0
    for (
      let from: Parameters<typeof log.read>[0]['from'] | undefined = {
        at: 'at_sequence_number',
        sequenceNumber: first,
      };
      from !== undefined;
    ) {
      const page: Awaited<ReturnType<typeof log.read>> = await log.read({
        stream,
        shardId,
        from,
        maxRecords: PAGE,
        maxBytes: MAX_BYTES,
        waitMs: 0,
      })
      expired += page.expiredRecords
      const within = page.records.filter(({ sequenceNumber }) => compareSequence(sequenceNumber, last) <= 0)
      records.push(...within)
      found += within.length
      const isEnd =
        within.length < page.records.length || (page.records.length === 0 && page.millisBehindLatest === 0)
      from = isEnd || records.at(-1)?.sequenceNumber === last ? undefined : page.next
      const isFull =
        records.length >= CHUNK_RECORDS ||
        records.reduce((sum, { data }) => sum + data.length, 0) >= CHUNK_BYTES
      if (records.length > 0 && (isFull || from === undefined)) {
        yield records
        records = []
      }
    }
    const about = { subscription: name, shardId, batchSize, found }
    if (expired > 0 || found < batchSize)
      logger.error(about, 'records that were given up are not in the stream any more')
    if (found > batchSize)
      logger.warn(about, 'records that were given up lie among others, which are handled again')
  }

  #isOf(definition: SubscriptionDefinition, { streamArn }: LostRecords): boolean {
    if (definition.queue !== undefined) return false
    const stream = streamArn.slice(streamArn.lastIndexOf('/') + 1)
    return (
      stream === definition.stream || stream === streamNameOf(this.#opened.resources(), definition.stream)
    )
  }

  /** @throws InvalidOptionError when nothing says which of several it is */
  #subscriptionOf(
    functionArn: string | undefined,
    isCandidate: (definition: SubscriptionDefinition) => boolean,
  ): SubscriptionDefinition {
    const { app, env } = this.#opened
    const named =
      functionArn === undefined ? undefined : functionsOf(this.#options, env)[functionNameOf(functionArn)]
    const wanted = named ?? this.#options.subscription ?? env.EDDY_SUBSCRIPTION
    const found = (app satisfies AppDefinition).subscriptions.filter((definition) =>
      wanted === undefined ? isCandidate(definition) : definition.name === wanted,
    )
    const [only] = found
    if (only !== undefined && found.length === 1) return only
    throw new InvalidOptionError(
      'EDDY_FUNCTIONS',
      'a JSON object that names the subscription of each function',
      functionArn,
    )
  }

  /** Of a queue's dead-letter queue. @throws InvalidOptionError */
  #readerOf({ attributes }: SqsRecord): SubscriptionDefinition {
    const source = attributes.DeadLetterQueueSourceArn ?? ''
    const queueName = source.slice(source.lastIndexOf(':') + 1)
    return this.#subscriptionOf(undefined, ({ queue }) => {
      if (queue === undefined) return false
      if (queueName === '') return true
      const names = [false, true].map((isFifo) =>
        queueNameOf(this.#opened.resources(), `queue/${queue.name}`, isFifo),
      )
      return names.includes(queueName)
    })
  }
}

function isOfQueue({ queue }: SubscriptionDefinition): boolean {
  return queue !== undefined
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, with a version behind it or not. */
function functionNameOf(arn: string): string {
  return arn.split(':')[6] ?? arn
}

function functionsOf(
  { functions }: HandlersOptions,
  env: OpenFunction['env'],
): Readonly<Record<string, string>> {
  if (functions !== undefined) return functions
  const text = env.EDDY_FUNCTIONS
  if (text === undefined || text === '') return {}
  try {
    return JSON.parse(text) as Record<string, string>
  } catch {
    throw new InvalidOptionError(
      'EDDY_FUNCTIONS',
      'a JSON object that names the subscription of each function',
      text,
    )
  }
}
