import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { createApp, openApiDocument } from '../src/index.ts'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'

const document = JSON.parse(JSON.stringify(openApiDocument()))

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate(document)
  expect(result.errors).toBeUndefined()
  expect([result.valid, validator.version]).toEqual([true, '3.1'])
})

test('the routes and the document name each other, both ways', () => {
  const app = createApp({ operations: fakeOperations(), version: 't' })
  const served = app.routes
    .filter((route) => route.method !== 'ALL')
    .map((route) => `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`)
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(served.toSorted()).toEqual(documented.toSorted())
  expect(new Set(served).size).toBe(served.length)
})

test('it is served', async () => {
  expect((await client().ask('GET', '/openapi.json')).body).toEqual(document)
})

describe('details', () => {
  interface Operation {
    operationId: string
    requestBody?: { content: Record<string, { schema: object; example?: unknown }> }
    responses: Record<string, object>
  }
  const operations: Operation[] = Object.values(document.paths).flatMap((item) =>
    Object.values(item as object),
  )

  test('operation ids are unique', () => {
    const ids = operations.map((operation) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('every reference leads somewhere, and every schema is used', () => {
    const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      (match) => match[1],
    )
    const schemas = Object.keys(document.components.schemas)
    expect(names.filter((name) => !schemas.includes(name as string))).toEqual([])
    // Lines and event streams carry these in a text body.
    const inText = ['FailureDetail', 'Notice']
    expect(schemas.filter((name) => !names.includes(name) && !inText.includes(name))).toEqual([])
  })

  test('every body has an example that follows its schema', () => {
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema(document, 'openapi')
    for (const { operationId, requestBody } of operations) {
      const content = requestBody?.content['application/json']
      if (content === undefined) continue
      const schema = JSON.parse(JSON.stringify(content.schema).replaceAll('"#/', '"openapi#/'))
      expect(ajv.validate(schema, content.example), `${operationId}: ${ajv.errorsText()}`).toBe(true)
    }
  })

  test('every operation names the problems that any request can meet', () => {
    for (const { responses, operationId } of operations) {
      expect(Object.keys(responses), operationId).toEqual(expect.arrayContaining(['400', '403', '500']))
    }
  })
})
