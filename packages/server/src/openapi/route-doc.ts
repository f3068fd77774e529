/** A JSON Schema (2020-12) as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>

export interface ParameterDoc {
  readonly name: string
  readonly in: 'query' | 'header'
  readonly description: string
  readonly schema: JsonSchema
  readonly required?: boolean
  readonly example?: unknown
}

interface ContentDoc {
  readonly schema: JsonSchema
  readonly example?: unknown
}

export interface ResponseDoc {
  readonly description: string
  /** By content type. */
  readonly content?: Readonly<Record<string, ContentDoc>>
}

/** What the OpenAPI document says of one route. The query parameters named here are the only ones it takes. */
export interface RouteDoc {
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly ParameterDoc[]
  readonly body?: { readonly required: boolean; readonly content: Readonly<Record<string, ContentDoc>> }
  /** Answers other than problems, by status. */
  readonly responses: Readonly<Record<number, ResponseDoc>>
  /** Statuses of the problems this route answers, besides those that any route, or any with a body, may answer. */
  readonly problems?: readonly number[]
}
