import fc from 'fast-check'
import type { ServiceModel, Shape } from '../../../src/aws/model/service-model.ts'
import { shapeOf } from '../../../src/aws/model/shape-of.ts'

/** Values of names that lead somewhere: half of what is drawn, or nothing would get past the first look-up. */
export type Known = Readonly<Record<string, readonly unknown[]>>

/** Any value, of any type: what a field gets that is to be of the wrong one. */
const anything = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constantFrom(
      null,
      true,
      false,
      0,
      -1,
      1,
      1e308,
      2 ** 53,
      '',
      ' ',
      '\u0000',
      '__proto__',
      'a'.repeat(300),
    ),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 5 }), fc.integer(), { maxKeys: 3 }),
    fc.uint8Array({ maxLength: 8 }),
  )

/**
 * Inputs of an operation as its clients' libraries would write them: mostly right, now and then a member of another
 * type, at or beyond a limit, missing, or one that there is not.
 */
export function inputArbitrary(model: ServiceModel, operation: string, known: Known): fc.Arbitrary<unknown> {
  const shapeName = model.operations[operation]?.input
  return shapeName === undefined ? fc.constant({}) : valueArbitrary(model, shapeName, '', known, 0)
}

function valueArbitrary(
  model: ServiceModel,
  shapeName: string,
  name: string,
  known: Known,
  depth: number,
): fc.Arbitrary<unknown> {
  const shape = shapeOf(model, shapeName)
  const right = rightArbitrary(model, shape, known, depth)
  const pool = known[name]
  const named =
    pool === undefined
      ? right
      : fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...pool) }, { weight: 1, arbitrary: right })
  return fc.oneof({ weight: 60, arbitrary: named }, { weight: 1, arbitrary: anything() })
}

function rightArbitrary(
  model: ServiceModel,
  shape: Shape,
  known: Known,
  depth: number,
): fc.Arbitrary<unknown> {
  switch (shape.type) {
    case 'structure': {
      const members = Object.entries(shape.members).map(([name, member]) => [
        name,
        valueArbitrary(model, member.shape, name, known, depth + 1),
      ])
      const requiredKeys = (shape.required ?? []) as []
      const full = fc.record(Object.fromEntries(members), { requiredKeys })
      return fc.oneof(
        { weight: 12, arbitrary: full },
        { weight: 1, arbitrary: fc.tuple(full, fc.string()).map(([value, key]) => ({ ...value, [key]: 1 })) },
      )
    }
    case 'list': {
      const minLength = depth > 0 && shape.min !== undefined ? shape.min : 0
      const member = valueArbitrary(model, shape.member.shape, '', known, depth + 1)
      return fc.array(member, { minLength, maxLength: minLength + 3 })
    }
    case 'map': {
      const minKeys = shape.min ?? 0
      const key = textArbitrary(shapeOf(model, shape.key.shape))
      const value = valueArbitrary(model, shape.value.shape, '', known, depth + 1)
      return fc.dictionary(key, value, { minKeys, maxKeys: minKeys + 2, noNullPrototype: true })
    }
    case 'string':
      return textArbitrary(shape)
    case 'blob':
      return fc.uint8Array({ maxLength: 40 })
    case 'boolean':
      return fc.boolean()
    case 'timestamp':
      return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    case 'integer':
    case 'long':
    case 'double': {
      const { min = -2, max = 1_000 } = shape
      return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, min - 1, max + 1, 0))
    }
  }
}

/** Nearly always as the shape would have them; then too long, and of any characters. */
function textArbitrary(shape: Shape): fc.Arbitrary<string> {
  if (shape.type !== 'string') return fc.string()
  return fc.oneof(
    { weight: 30, arbitrary: rightText(shape) },
    { weight: 1, arbitrary: fc.constant('x'.repeat((shape.max ?? 30) + 1)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  )
}

function rightText(shape: Extract<Shape, { type: 'string' }>): fc.Arbitrary<string> {
  if (shape.enum !== undefined) return fc.constantFrom(...shape.enum)
  if (shape.pattern === undefined) {
    // Many attributes of SQS are numbers in texts.
    const digits = fc.integer({ min: 0, max: 43_200 }).map(String)
    return fc.oneof(fc.string({ minLength: Math.max(1, shape.min ?? 0), maxLength: 12 }), digits)
  }
  // A `.*` of a pattern draws any character; plain ones are enough here.
  const plain = shape.pattern.replaceAll('.*', '[a-z]{0,3}').replaceAll('\\S+', '[a-z]{1,8}')
  return fc.stringMatching(new RegExp(`^(?:${plain})$`))
}
