import type { ServiceModel, Shape } from './service-model.ts'

/** A shape that the model names: that it is there, the model's own test says. */
export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`${name} is no shape of the model of ${model.name}`)
  return shape
}
