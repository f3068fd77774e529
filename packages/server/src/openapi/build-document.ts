import type { Route } from '../route.ts'
import type { JsonSchema, ResponseDoc, RouteDoc } from './route-doc.ts'
import { ref } from './schema.ts'
import { auditSchemas } from './schemas/audit-schemas.ts'
import { failureSchemas } from './schemas/failure-schemas.ts'
import { policySchemas } from './schemas/policy-schemas.ts'
import { problemSchemas } from './schemas/problem-schemas.ts'
import { queueSchemas } from './schemas/queue-schemas.ts'
import { recordSchemas } from './schemas/record-schemas.ts'
import { redriveSchemas } from './schemas/redrive-schemas.ts'
import { streamSchemas } from './schemas/stream-schemas.ts'
import { subscriptionSchemas } from './schemas/subscription-schemas.ts'

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: Readonly<Record<string, unknown>>
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
}

/** The document of these routes: their own fragments and the schemas that these refer to. */
export function buildDocument(routes: readonly Route[]): OpenApiDocument {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const route of routes) {
    const item = paths[route.path] ?? {}
    item[route.method] = operation(route)
    paths[route.path] = item
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Eddy',
      version: '1.0.0',
      description: 'Append events, watch subscriptions, and mend what failed.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: {
        ...problemSchemas,
        ...streamSchemas,
        ...recordSchemas,
        ...queueSchemas,
        ...subscriptionSchemas,
        ...policySchemas,
        ...failureSchemas,
        ...redriveSchemas,
        ...auditSchemas,
      },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Required when the server was started with `--token`.',
        },
      },
    },
  }
}

function operation(route: Route): JsonSchema {
  const { doc } = route
  const parameters = [...pathParameters(route.path), ...(doc.parameters ?? [])]
  return {
    operationId: doc.id,
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.description === undefined ? {} : { description: doc.description }),
    ...(route.access === 'open' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(doc.body === undefined ? {} : { requestBody: doc.body }),
    responses: { ...doc.responses, ...problems(route, doc) },
  }
}

function pathParameters(path: string): readonly JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: 'Percent-encoded.',
    schema: { type: 'string' },
  }))
}

function problems(route: Route, doc: RouteDoc): Readonly<Record<string, ResponseDoc>> {
  const usual = route.access === 'open' ? [400, 403, 500] : [400, 401, 403, 500, 503]
  const body = doc.body === undefined ? [] : [413, 415]
  const statuses = [...new Set([...usual, ...body, ...(doc.problems ?? [])])]
  return Object.fromEntries(
    statuses
      .filter((status) => doc.responses[status] === undefined)
      .sort((a, b) => a - b)
      .map((status) => [
        status,
        {
          description: PROBLEMS[status] ?? 'A problem.',
          content: { 'application/problem+json': { schema: ref('Problem') } },
        },
      ]),
  )
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is not right.',
  401: 'The token is missing or wrong.',
  403: 'The server is read-only, or the caller is a page of another origin.',
  404: 'There is no such thing.',
  409: 'The state of things is against it.',
  413: 'The request is too large.',
  415: 'The content type is not supported.',
  429: "The stream's limits allow no more for now; `Retry-After` and `details.retryAfterMs` say when.",
  500: 'The server failed.',
  501: 'The engine cannot do it.',
  503: 'Try again later, after `retry-after` seconds.',
}
