import { type AppDefinition, type Engine, InvalidOptionError, type Logger, type Operations } from '@eddy/core'
import type { PublishMetrics } from '../metrics/published.ts'
import type { AwsResources } from '../resources/index.ts'
import { adoptMessages, queueOf } from './adopt-messages.ts'
import { snsDelivery } from './deliveries.ts'
import type { HttpEvent, HttpResult } from './http-event.ts'
import { answer, type HttpApp } from './http-handler.ts'
import { shardBatch } from './kinesis-batch.ts'
import type { BatchResponse, InvocationContext, KinesisEvent, SnsEvent, SqsEvent } from './lambda-events.ts'
import type { ReadObject } from './lost-batches.ts'
import { type OpenFunction, openFunction } from './open-function.ts'
import { rescue } from './rescue.ts'

/** What an HTTP API is made of: what `createApp` of `@eddy/server` takes. */
export interface HttpAppOptions {
  readonly operations: Operations
  readonly version: string
  readonly token: string
  readonly logger: Logger
}

export interface HandlersOptions {
  /** Whose events the function gets: `kinesis`, `queue`, `retry` and `sns`. Default: the variable EDDY_SUBSCRIPTION. */
  readonly subscription?: string
  /** Default: the variables that `resourceEnv` writes. */
  readonly resources?: AwsResources
  /** Default: the ports on AWS over `resources`. Called once a process. */
  readonly engine?: () => Engine | Promise<Engine>
  /** Default: Powertools' logger where it is installed, else lines of JSON. */
  readonly logger?: Logger
  /** Takes what each invocation counted. Default: Powertools' metrics where they are installed, else lines in the embedded metric format. */
  readonly metrics?: PublishMetrics
  /** Spans through the OpenTelemetry API, where it is installed. Default true. */
  readonly traces?: boolean
  /** For `http`: `createApp` of `@eddy/server`. */
  readonly http?: (options: HttpAppOptions) => HttpApp
  /** Required of every request to `http`, as a bearer token. Default: the variable EDDY_TOKEN. */
  readonly token?: string
  /** For `rescue`: which subscription a function serves. Default: the variable EDDY_FUNCTIONS, a JSON object by function name. */
  readonly functions?: Readonly<Record<string, string>>
  /** For `rescue`: an object of S3 as text. Default: through `@aws-sdk/client-s3`. */
  readonly readObject?: ReadObject
  /** MaximumRecordAgeInSeconds of the mappings, in milliseconds. Default: the variable EDDY_MAX_RECORD_AGE_MS, else 7 days. */
  readonly maxRecordAgeMs?: number
  /** Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Handlers of AWS Lambda functions, each for another source. */
export interface Handlers {
  /** Of an event source mapping of a Kinesis stream, with ReportBatchItemFailures. */
  kinesis(event: KinesisEvent, context: InvocationContext): Promise<BatchResponse>
  /** Of an event source mapping of an application's queue, with ReportBatchItemFailures; standard and FIFO. */
  queue(event: SqsEvent, context: InvocationContext): Promise<BatchResponse>
  /** Of an event source mapping of a subscription's retry queue, with ReportBatchItemFailures. */
  retry(event: SqsEvent, context: InvocationContext): Promise<BatchResponse>
  /** Of a topic's subscription: its messages are those of a subscription of a queue. @throws when a message is left */
  sns(event: SnsEvent, context: InvocationContext): Promise<void>
  /** Of what an OnFailure destination gets: an event of S3, SQS or SNS, or the document itself. */
  rescue(event: unknown, context: InvocationContext): Promise<BatchResponse>
  /** Of an API of API Gateway, or a function URL: ingest and administration. */
  http(event: HttpEvent, context: InvocationContext): Promise<HttpResult>
  /** Of a rule that fires each minute. */
  sweep(event: unknown, context: InvocationContext): Promise<void>
}

/** Kept for notices, at the end of an invocation. */
const SETTLE_MS = 1_500

/** An application's handlers. Nothing is opened before the first invocation. */
export function handlers(app: AppDefinition, options: HandlersOptions = {}): Handlers {
  let opening: Promise<OpenFunction> | undefined
  const open = async (): Promise<OpenFunction> => {
    opening ??= openFunction(app, options)
    try {
      return await opening
    } catch (error) {
      // What was not there yet may be at the next invocation.
      opening = undefined
      throw error
    }
  }
  const invoke = async <T>(
    context: InvocationContext,
    step: (open: OpenFunction, deadlineMs: number) => Promise<T>,
  ): Promise<T> => {
    const opened = await open()
    const deadlineMs = opened.engine.clock.monotonicMs() + context.getRemainingTimeInMillis()
    try {
      return await step(opened, deadlineMs - SETTLE_MS)
    } finally {
      await opened.invocations.settle(SETTLE_MS)
      opened.metrics.flush()
    }
  }
  const subscriptionOf = ({ env }: OpenFunction): string =>
    required(options.subscription ?? env.EDDY_SUBSCRIPTION)
  const messages = (
    kind: 'messages' | 'tokens',
    event: SqsEvent,
    context: InvocationContext,
  ): Promise<BatchResponse> =>
    invoke(context, async (opened, deadlineMs) => {
      const { engine, invocations } = opened
      const subscription = subscriptionOf(opened)
      const queue = queueOf(invocations, kind, subscription)
      const visibilityMs = context.getRemainingTimeInMillis()
      const adopted = await adoptMessages(engine, queue, event.Records, visibilityMs)
      const { deliveries } = adopted
      const left = await invocations[kind]({ subscription, deliveries, deadlineMs })
      return failuresOf(await adopted.settle(left))
    })
  return {
    kinesis: (event, context) =>
      invoke(context, async (opened, deadlineMs) => {
        const { shardId, records } = shardBatch(event.Records)
        const requestId = context.awsRequestId
        const subscription = subscriptionOf(opened)
        const left = await opened.invocations.records({
          subscription,
          shardId,
          records,
          requestId,
          deadlineMs,
        })
        return failuresOf(
          records
            .slice(left ?? records.length, (left ?? records.length) + 1)
            .map(({ sequenceNumber }) => sequenceNumber),
        )
      }),
    queue: (event, context) => messages('messages', event, context),
    retry: (event, context) => messages('tokens', event, context),
    sns: (event, context) =>
      invoke(context, async (opened, deadlineMs) => {
        const deliveries = event.Records.map(snsDelivery)
        const subscription = subscriptionOf(opened)
        const left = await opened.invocations.messages({ subscription, deliveries, deadlineMs })
        if (left.length > 0)
          throw new Error(
            `${left.length} of ${deliveries.length} messages of a topic are left, and come again`,
          )
      }),
    rescue: (event, context) =>
      invoke(context, (opened, deadlineMs) => rescue(opened, options, event, deadlineMs)),
    http: (event, context) => invoke(context, (opened) => answer(opened, options, event)),
    sweep: (_event, context) =>
      invoke(context, async (opened, deadlineMs) => {
        opened.metrics.saw(await opened.invocations.sweep(deadlineMs))
      }),
  }
}

function required(subscription: string | undefined): string {
  if (subscription !== undefined && subscription !== '') return subscription
  throw new InvalidOptionError(
    'EDDY_SUBSCRIPTION',
    'the name of the subscription whose events the function gets',
    subscription,
  )
}

function failuresOf(identifiers: readonly string[]): BatchResponse {
  return { batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) }
}
