import { InvalidOptionError } from '@eddy/core'

/** @throws InvalidOptionError when the value is not a whole number from `min` to `max` */
export function checkWhole(option: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOptionError(option, `a whole number from ${min} to ${max}`, value)
  }
}

/** @throws InvalidOptionError when there are more than `max` */
export function checkCount(option: string, values: readonly unknown[], max: number): void {
  if (values.length > max) throw new InvalidOptionError(option, `at most ${max}`, values.length)
}

/** @throws InvalidOptionError when the text does not match */
export function checkText(option: string, value: string, pattern: RegExp, expected: string): void {
  if (!pattern.test(value)) throw new InvalidOptionError(option, expected, value)
}
