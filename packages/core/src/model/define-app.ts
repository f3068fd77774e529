import { InvalidOptionError } from '../errors/request-errors.ts'
import type { AppDefinition, NotifySink, StreamDefinition, SubscriptionDefinition } from './app.ts'
import { branded, isDefinition, sourceOfSubscription } from './definition.ts'
import type { QueueDefinition } from './message.ts'
import { checkFunction, checkObject, checkText } from './option-checks.ts'

export interface AppOptions {
  /** Streams without a subscription here; those of subscriptions are included anyway. */
  readonly streams?: readonly StreamDefinition[]
  /** Queues without a subscription here; those of subscriptions are included anyway. */
  readonly queues?: readonly QueueDefinition[]
  // biome-ignore lint/suspicious/noExplicitAny: handlers of any data type stand side by side in an application
  readonly subscriptions: readonly SubscriptionDefinition<any>[]
  /** Where notices go: dead letters, held keys, retention coming near. */
  readonly notify?: NotifySink | readonly NotifySink[]
}

/**
 * An application: what `open`, `harness` and `eddy start` run.
 *
 * @throws InvalidOptionError, also when two streams, queues or subscriptions share a name, or two subscriptions a queue
 */
export function defineApp(options: AppOptions): AppDefinition {
  const from = checkObject('defineApp()', options, ['streams', 'queues', 'subscriptions', 'notify'])
  const listed = checkList('defineApp().streams', from.streams ?? [])
  const sources: Sources = { streams: new Map(), queues: new Map() }
  listed.forEach((stream, index) => {
    if (!isDefinition('stream', stream)) {
      throw new InvalidOptionError(`defineApp().streams[${index}]`, 'a stream made with stream()', stream)
    }
    addSource(sources, `defineApp().streams[${index}]`, stream)
  })
  checkList('defineApp().queues', from.queues ?? []).forEach((queue, index) => {
    if (!isDefinition('queue', queue)) {
      throw new InvalidOptionError(`defineApp().queues[${index}]`, 'a queue made with queue()', queue)
    }
    addSource(sources, `defineApp().queues[${index}]`, queue)
  })
  const subscriptions = new Map<string, SubscriptionDefinition>()
  checkList('defineApp().subscriptions', from.subscriptions).forEach((subscription, index) => {
    addSubscription(sources, subscriptions, `defineApp().subscriptions[${index}]`, subscription)
  })
  return branded({
    kind: 'app',
    streams: Object.freeze([...sources.streams.values()]),
    queues: Object.freeze([...sources.queues.values()]),
    subscriptions: Object.freeze([...subscriptions.values()]),
    notify: Object.freeze(checkSinks(from.notify)),
  })
}

/** True for what `defineApp` returned, also from another copy of this package. */
export function isApp(value: unknown): value is AppDefinition {
  return isDefinition('app', value)
}

interface Sources {
  readonly streams: Map<string, StreamDefinition>
  readonly queues: Map<string, QueueDefinition>
}

function addSource(sources: Sources, path: string, source: StreamDefinition | QueueDefinition): void {
  const { kind, name } = source
  const present = (kind === 'stream' ? sources.streams : sources.queues).get(name)
  if (present !== undefined && present !== source) {
    throw new InvalidOptionError(path, `one definition of ${kind} "${name}"`, 'a second one')
  }
  if (source.kind === 'stream') sources.streams.set(name, source)
  else sources.queues.set(name, source)
}

function addSubscription(
  sources: Sources,
  subscriptions: Map<string, SubscriptionDefinition>,
  path: string,
  subscription: unknown,
): void {
  const source = isDefinition('subscription', subscription) ? sourceOfSubscription(subscription) : undefined
  if (!isDefinition('subscription', subscription) || source === undefined) {
    throw new InvalidOptionError(path, 'a subscription made with subscribe()', subscription)
  }
  if (subscriptions.has(subscription.name)) {
    throw new InvalidOptionError(path, `one subscription named "${subscription.name}"`, 'a second one')
  }
  const reader = [...subscriptions.values()].find((other) => other.queue?.name === source.name)
  if (source.kind === 'queue' && reader !== undefined) {
    // A message is handled once: two readers would each get some of them.
    throw new InvalidOptionError(
      path,
      `one subscription of queue "${source.name}", which "${reader.name}" reads. For several readers of the same events, use a stream`,
      subscription.name,
    )
  }
  addSource(sources, path, source)
  subscriptions.set(subscription.name, subscription)
}

function checkList(path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new InvalidOptionError(path, 'a list', value)
}

function checkSinks(value: unknown): NotifySink[] {
  const sinks: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return sinks.map((sink, index) => {
    const path = `defineApp().notify[${index}]`
    if (typeof sink !== 'object' || sink === null) {
      throw new InvalidOptionError(path, 'a sink: webhookSink(), logSink() or { name, notify }', sink)
    }
    checkText(`${path}.name`, (sink as Partial<NotifySink>).name, 128)
    checkFunction(`${path}.notify`, (sink as Partial<NotifySink>).notify)
    return sink as NotifySink
  })
}
