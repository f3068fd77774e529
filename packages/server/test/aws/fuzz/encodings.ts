import { encode } from 'cborg'
import type { AwsRequest } from '../../../src/aws/aws-request.ts'
import type { ServiceModel } from '../../../src/aws/model/service-model.ts'
import { cborRequest, formRequest, jsonRequest } from '../support/ask.ts'

/** Half of a pair: there is no UTF-8 of it. */
const LONE = /\p{Surrogate}/gu

/** A drawn input in each protocol of its service, as a client would write it, types right or wrong. */
export function requestsOf(
  model: ServiceModel,
  operation: string,
  input: unknown,
): readonly Partial<AwsRequest>[] {
  const target = `${model.targetPrefix}.${operation}`
  const json = jsonRequest(target, JSON.stringify(toJson(input)) ?? 'null', model.jsonVersion)
  if (model.name === 'sqs')
    return [json, formRequest(`Action=${operation}&${formOf(model, operation, input)}`)]
  return [json, cborRequest(target, encode(toCbor(input)))]
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]))
}

function toCbor(value: unknown): unknown {
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value)) return value.map(toCbor)
  if (typeof value === 'string') return value.replace(LONE, '?')
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([name, inner]) => [name.replace(LONE, '?'), toCbor(inner)]))
}

function formOf(model: ServiceModel, operation: string, input: unknown): string {
  const shapeName = model.operations[operation]?.input ?? ''
  return formFields(model, shapeName, input, '')
    .map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text.replace(LONE, '?'))}`)
    .join('&')
}

type Field = readonly [name: string, text: string]

function formFields(
  model: ServiceModel,
  shapeName: string,
  value: unknown,
  prefix: string,
): readonly Field[] {
  const shape = model.shapes[shapeName]
  const inner = (name: string) => (prefix === '' ? name : `${prefix}.${name}`)
  if (value instanceof Uint8Array) return [[prefix, Buffer.from(value).toString('base64')]]
  if (typeof value !== 'object' || value === null || value instanceof Date) return [[prefix, String(value)]]
  if (shape?.type === 'structure' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, one]) => {
      const member = shape.members[name]
      return formFields(
        model,
        member?.shape ?? '',
        one,
        inner(member?.locationName ?? name).replace(LONE, '?'),
      )
    })
  }
  if (shape?.type === 'map' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, one], index) => [
      [`${prefix}.${index + 1}.${shape.key.locationName}`, key] as const,
      ...formFields(model, shape.value.shape, one, `${prefix}.${index + 1}.${shape.value.locationName}`),
    ])
  }
  const items = Array.isArray(value) ? value : Object.values(value)
  const memberShape = shape?.type === 'list' ? shape.member.shape : ''
  return items.flatMap((one, index) => formFields(model, memberShape, one, `${prefix}.${index + 1}`))
}
