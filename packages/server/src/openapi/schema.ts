import type { JsonSchema, ResponseDoc } from './route-doc.ts'

/** Properties are required unless their name ends in `?`. `closed` refuses others, as the server does for bodies. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  options: { readonly closed?: boolean; readonly description?: string } = {},
): JsonSchema {
  const named: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, schema] of Object.entries(properties)) {
    const optional = name.endsWith('?')
    const bare = optional ? name.slice(0, -1) : name
    named[bare] = schema
    if (!optional) required.push(bare)
  }
  return {
    type: 'object',
    ...(options.description === undefined ? {} : { description: options.description }),
    properties: named,
    ...(required.length === 0 ? {} : { required }),
    ...(options.closed === true ? { additionalProperties: false } : {}),
  }
}

export function text(description?: string, more: JsonSchema = {}): JsonSchema {
  return { type: 'string', ...(description === undefined ? {} : { description }), ...more }
}

export function integer(description?: string, more: JsonSchema = {}): JsonSchema {
  return { type: 'integer', ...(description === undefined ? {} : { description }), ...more }
}

export function number(description?: string): JsonSchema {
  return { type: 'number', ...(description === undefined ? {} : { description }) }
}

export function flag(description?: string): JsonSchema {
  return { type: 'boolean', ...(description === undefined ? {} : { description }) }
}

export function choice(values: readonly string[], description?: string): JsonSchema {
  return { type: 'string', enum: values, ...(description === undefined ? {} : { description }) }
}

export function list(items: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return { type: 'array', items, ...more }
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** A JSON answer. */
export function json(description: string, schema: JsonSchema, example?: unknown): ResponseDoc {
  return {
    description,
    content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
  }
}

/** A time in epoch milliseconds. */
export function epochMs(description: string): JsonSchema {
  return integer(`${description} Epoch milliseconds.`)
}
