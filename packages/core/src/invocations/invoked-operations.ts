import type { AppDefinition, Notice } from '../model/app.ts'
import type { Logger } from '../observe/logger.ts'
import { renderMetrics } from '../observe/render-metrics.ts'
import { createOperations, type RunningOperations } from '../operate/create-operations.ts'
import type { Operations } from '../operate/operations.ts'
import type { OperationsDeps } from '../operate/operations-deps.ts'
import { isOver } from '../operate/redrive-store.ts'
import type { Engine } from '../ports/engine.ts'
import { appendOnce } from '../produce/append-once.ts'
import { Producer } from '../produce/producer.ts'
import { Sender } from '../produce/sender.ts'
import { InvokedControl } from './invoked-control.ts'
import type { InvokedSubscription } from './invoked-subscription.ts'

/** As many calls of the log for one stream as the runtime has (I6). */
const MAX_APPENDS_IN_FLIGHT = 64

export interface InvokedOperationsOptions {
  readonly engine: Engine
  readonly app: AppDefinition
  readonly logger: Logger
  readonly readOnly: boolean
  readonly listeners: Set<(notice: Notice) => void>
  readonly subscriptions: () => readonly InvokedSubscription[]
}

export interface InvokedOperations {
  readonly producer: Producer
  readonly sender: Sender
  /** For whoever asks: what takes long is written down, and worked off by `toRun`. */
  readonly here: Operations
  /** Works off what was written down, until it is stopped. */
  toRun(): Pick<RunningOperations, 'completeEdits' | 'resumeRedrives' | 'stop'> & {
    /** Some are not over. */
    hasRedrives(): Promise<boolean>
  }
}

/** What operators and producers can do, over subscriptions that nobody runs: in a process that is frozen after each answer. */
export function invokedOperations(options: InvokedOperationsOptions): InvokedOperations {
  const { engine, app } = options
  const streams = new Map(app.streams.map((stream) => [stream.name, stream]))
  const producer = new Producer({
    log: engine.log,
    clock: engine.clock,
    md5Hex: (text) => engine.md5Hex(text),
    md5: (bytes) => engine.md5(bytes),
    maxInFlight: MAX_APPENDS_IN_FLIGHT,
    schemaOf: (stream) => streams.get(stream)?.schema,
  })
  const sender = new Sender(engine, new Map(app.queues.map((queue) => [queue.name, queue])))
  let here: Operations | undefined
  const deps = (redrivesElsewhere: boolean): OperationsDeps => ({
    engine,
    streams,
    queues: new Map(app.queues.map((queue) => [queue.name, queue])),
    subscriptions: new Map(
      options
        .subscriptions()
        .map((invoked) => [invoked.definition.name, new InvokedControl(invoked, engine)]),
    ),
    producer: {
      append: (stream, events, appendOptions) => producer.append(stream, events, appendOptions),
      appendOnce: (stream, events, marks) => {
        const schema = streams.get(stream)?.schema
        return appendOnce({ log: engine.log, clock: engine.clock, schema }, stream, events, marks)
      },
      send: (queue, messages) => sender.send(queue, messages),
    },
    logger: options.logger,
    readOnly: options.readOnly,
    redrivesElsewhere,
    metrics: () => metricsText(options),
    ready: () => true,
    notices: (listener) => {
      options.listeners.add(listener)
      return () => options.listeners.delete(listener)
    },
  })
  return {
    producer,
    sender,
    get here() {
      here ??= createOperations(deps(true))
      return here
    },
    toRun: () => {
      const running = createOperations(deps(false))
      return {
        completeEdits: () => running.completeEdits(),
        resumeRedrives: () => running.resumeRedrives(),
        stop: () => running.stop(),
        hasRedrives: async () => (await running.listRedrives()).some((job) => !isOver(job)),
      }
    },
  }
}

/** Of this process alone, which is one of many: the service's own metrics tell of all. */
async function metricsText({ engine, subscriptions }: InvokedOperationsOptions): Promise<string> {
  const all = await Promise.all(
    subscriptions().map(async (invoked) => ({
      status: await new InvokedControl(invoked, engine).status(),
      metrics: invoked.metrics,
      abandoned: invoked.runner.stats.abandoned,
      refused: invoked.protection.refused,
    })),
  )
  return renderMetrics({
    subscriptions: all,
    appended: new Map(),
    sent: new Map(),
    queues: [],
    logReads: 0,
    throttledReads: 0,
    throttled: engine.log.throttled?.() ?? [],
    engine: engine.stats?.() ?? {},
  })
}
