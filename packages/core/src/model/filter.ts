/** One test on one value; the words are those of Lambda event filters. */
export type FilterTest =
  | string
  | number
  | boolean
  | null
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly 'anything-but': string | number | readonly (string | number)[] }
  | { readonly numeric: readonly (string | number)[] }
  | { readonly exists: boolean }

/**
 * A pattern over the event's attributes and data: every named field must pass, any test in a field's array is enough.
 * At most 4,096 characters as JSON, 10 levels deep.
 */
export interface EventFilter {
  readonly [field: string]: EventFilter | readonly FilterTest[]
}
