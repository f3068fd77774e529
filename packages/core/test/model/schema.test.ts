import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, test } from 'vitest'
import { SchemaMismatchError, validateData } from '../../src/index.ts'

function schemaOf<Data>(
  validate: StandardSchemaV1.Props<unknown, Data>['validate'],
): StandardSchemaV1<unknown, Data> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

describe('validateData', () => {
  test("answers with the schema's output, at once when the schema does", () => {
    expect(
      validateData(
        schemaOf((value) => ({ value: { seen: value } })),
        5,
      ),
    ).toEqual({ seen: 5 })
  })

  test('waits for an asynchronous schema', async () => {
    expect(
      await validateData(
        schemaOf(async (value) => ({ value })),
        5,
      ),
    ).toBe(5)
    const refusing = schemaOf(async () => ({ issues: [{ message: 'late' }] }))
    await expect(validateData(refusing, 5)).rejects.toThrow(SchemaMismatchError)
  })

  test('names the place and the problem of each issue', () => {
    const refusing = schemaOf(() => ({
      issues: [{ message: 'required', path: ['customer', { key: 'names' }, 0] }, { message: 'no number' }],
    }))
    expect(() => validateData(refusing, {})).toThrow('data.customer.names.0: required; data: no number')
  })

  test('shows ten issues, and at most a thousand characters', () => {
    const many = schemaOf(() => ({
      issues: Array.from({ length: 50 }, (_, index) => ({ message: `m${index}` })),
    }))
    expect(() => validateData(many, {})).toThrow('data: m9; and 40 more')
    const long = schemaOf(() => ({ issues: [{ message: 'x'.repeat(1_000_000) }] }))
    expect(() => validateData(long, {})).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1000,1100}$/) }),
    )
  })

  test('an error of the schema itself is passed on', () => {
    const broken = schemaOf(() => {
      throw new RangeError('broken')
    })
    expect(() => validateData(broken, {})).toThrow(RangeError)
  })
})
