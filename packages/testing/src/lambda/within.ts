/** @throws RangeError */
export function within(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`${name}: expected a whole number from ${min} to ${max}, received ${value}`)
}
