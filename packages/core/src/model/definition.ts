import type { AppDefinition, StreamDefinition, SubscriptionDefinition } from './app.ts'
import type { QueueDefinition } from './message.ts'

/**
 * Definitions carry a brand that holds across copies of this package, since an application file may load its own.
 * The symbols are enumerable, so that a copy made by spreading keeps them.
 */
const BRAND: unique symbol = Symbol.for('eddy.definition') as never
const SOURCE: unique symbol = Symbol.for('eddy.definition.stream') as never

export type Definition =
  | AppDefinition
  | StreamDefinition
  | QueueDefinition
  // biome-ignore lint/suspicious/noExplicitAny: definitions of any data type
  | SubscriptionDefinition<any>

export function branded<D extends { readonly kind: Definition['kind'] }>(fields: D): D {
  return Object.freeze({ ...fields, [BRAND]: fields.kind })
}

/** A subscription that remembers the definition of the stream or queue it reads, for `defineApp` to include. */
export function brandedWithSource<D extends { readonly kind: 'subscription' }>(
  fields: D,
  source: StreamDefinition | QueueDefinition,
): D {
  return Object.freeze({ ...fields, [BRAND]: fields.kind, [SOURCE]: source })
}

export function isDefinition<K extends Definition['kind']>(
  kind: K,
  value: unknown,
): value is Extract<Definition, { readonly kind: K }> {
  if (typeof value !== 'object' || value === null) return false
  const { kind: ownKind, [BRAND]: brand } = value as { kind?: unknown; [BRAND]?: unknown }
  return ownKind === kind && brand === kind
}

export function sourceOfSubscription(value: object): StreamDefinition | QueueDefinition | undefined {
  return (value as { [SOURCE]?: StreamDefinition | QueueDefinition })[SOURCE]
}
