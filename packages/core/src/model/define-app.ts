import { InvalidOptionError } from '../errors/request-errors.ts'
import type { AppDefinition, NotifySink, StreamDefinition, SubscriptionDefinition } from './app.ts'
import { branded, isDefinition, streamOfSubscription } from './definition.ts'
import { checkFunction, checkObject, checkText } from './option-checks.ts'

export interface AppOptions {
  /** Streams without a subscription here; those of subscriptions are included anyway. */
  readonly streams?: readonly StreamDefinition[]
  // biome-ignore lint/suspicious/noExplicitAny: handlers of any data type stand side by side in an application
  readonly subscriptions: readonly SubscriptionDefinition<any>[]
  /** Where notices go: dead letters, held keys, retention coming near. */
  readonly notify?: NotifySink | readonly NotifySink[]
}

/**
 * An application: what `open`, `harness` and `eddy start` run.
 *
 * @throws InvalidOptionError, also when two streams or two subscriptions share a name
 */
export function defineApp(options: AppOptions): AppDefinition {
  const from = checkObject('defineApp()', options, ['streams', 'subscriptions', 'notify'])
  const listed = checkList('defineApp().streams', from.streams ?? [])
  const streams = new Map<string, StreamDefinition>()
  listed.forEach((stream, index) => {
    if (!isDefinition('stream', stream)) {
      throw new InvalidOptionError(`defineApp().streams[${index}]`, 'a stream made with stream()', stream)
    }
    addStream(streams, `defineApp().streams[${index}]`, stream)
  })
  const subscriptions = new Map<string, SubscriptionDefinition>()
  checkList('defineApp().subscriptions', from.subscriptions).forEach((subscription, index) => {
    addSubscription(streams, subscriptions, `defineApp().subscriptions[${index}]`, subscription)
  })
  return branded({
    kind: 'app',
    streams: Object.freeze([...streams.values()]),
    subscriptions: Object.freeze([...subscriptions.values()]),
    notify: Object.freeze(checkSinks(from.notify)),
  })
}

/** True for what `defineApp` returned, also from another copy of this package. */
export function isApp(value: unknown): value is AppDefinition {
  return isDefinition('app', value)
}

function addStream(streams: Map<string, StreamDefinition>, path: string, stream: StreamDefinition): void {
  const present = streams.get(stream.name)
  if (present !== undefined && present !== stream) {
    throw new InvalidOptionError(path, `one definition of stream "${stream.name}"`, 'a second one')
  }
  streams.set(stream.name, stream)
}

function addSubscription(
  streams: Map<string, StreamDefinition>,
  subscriptions: Map<string, SubscriptionDefinition>,
  path: string,
  subscription: unknown,
): void {
  const stream = isDefinition('subscription', subscription) ? streamOfSubscription(subscription) : undefined
  if (!isDefinition('subscription', subscription) || stream === undefined) {
    throw new InvalidOptionError(path, 'a subscription made with subscribe()', subscription)
  }
  if (subscriptions.has(subscription.name)) {
    throw new InvalidOptionError(path, `one subscription named "${subscription.name}"`, 'a second one')
  }
  addStream(streams, path, stream)
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
