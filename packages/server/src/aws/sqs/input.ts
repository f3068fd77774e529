import type { AwsStructure, AwsValue } from '../aws-service.ts'
import { invalidValue, missingParameter } from './sqs-errors.ts'

/*
 * Members of an input. Types were checked against the model before; what is read as another type here counts as absent.
 */

export function textIn(input: AwsStructure, name: string): string | undefined {
  const value = input[name]
  return typeof value === 'string' ? value : undefined
}

/** @throws AwsError if it is absent or empty */
export function requiredText(input: AwsStructure, name: string): string {
  const value = textIn(input, name)
  if (value === undefined || value === '') throw missingParameter(name)
  return value
}

export interface WholeBounds {
  readonly min: number
  readonly max: number
  /** As the service words it. */
  readonly reason: string
}

/** @throws AwsError if it is there and out of its bounds */
export function wholeIn(input: AwsStructure, name: string, bounds: WholeBounds): number | undefined {
  const value = input[name]
  if (typeof value !== 'number') return undefined
  if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw invalidValue(value, name, bounds.reason)
  }
  return value
}

export function textsIn(input: AwsStructure, name: string): readonly string[] {
  const value = input[name]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

export function textMapIn(input: AwsStructure, name: string): ReadonlyMap<string, string> {
  const entries = Object.entries(structureIn(input, name) ?? {})
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

export function structureIn(input: AwsStructure, name: string): AwsStructure | undefined {
  return asStructure(input[name])
}

export function structuresIn(input: AwsStructure, name: string): readonly AwsStructure[] {
  const value = input[name]
  if (!Array.isArray(value)) return []
  return value.map(asStructure).filter((one) => one !== undefined)
}

function asStructure(value: AwsValue | undefined): AwsStructure | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (value instanceof Uint8Array || value instanceof Date) return undefined
  return value as AwsStructure
}
