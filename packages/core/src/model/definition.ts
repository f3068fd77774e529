import type { AppDefinition, StreamDefinition, SubscriptionDefinition } from './app.ts'

/**
 * Definitions carry a brand that holds across copies of this package, since an application file may load its own.
 * The symbols are enumerable, so that a copy made by spreading keeps them.
 */
const BRAND: unique symbol = Symbol.for('eddy.definition') as never
const STREAM: unique symbol = Symbol.for('eddy.definition.stream') as never

export type Definition =
  | AppDefinition
  | StreamDefinition
  // biome-ignore lint/suspicious/noExplicitAny: definitions of any data type
  | SubscriptionDefinition<any>

export function branded<D extends { readonly kind: Definition['kind'] }>(fields: D): D {
  return Object.freeze({ ...fields, [BRAND]: fields.kind })
}

/** A subscription that remembers the definition of the stream it reads, for `defineApp` to include. */
export function brandedWithStream<D extends { readonly kind: 'subscription' }>(
  fields: D,
  stream: StreamDefinition,
): D {
  return Object.freeze({ ...fields, [BRAND]: fields.kind, [STREAM]: stream })
}

export function isDefinition<K extends Definition['kind']>(
  kind: K,
  value: unknown,
): value is Extract<Definition, { readonly kind: K }> {
  if (typeof value !== 'object' || value === null) return false
  const { kind: ownKind, [BRAND]: brand } = value as { kind?: unknown; [BRAND]?: unknown }
  return ownKind === kind && brand === kind
}

export function streamOfSubscription(value: object): StreamDefinition | undefined {
  return (value as { [STREAM]?: StreamDefinition })[STREAM]
}
