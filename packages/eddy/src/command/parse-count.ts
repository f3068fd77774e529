import { UsageError } from './command-errors.ts'

/** Reads a whole number of an option. @throws UsageError naming the option and its limits */
export function parseCount(option: string, minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= minimum && value <= maximum)) {
      throw new UsageError(
        `${option}: expected a whole number from ${minimum} to ${maximum}, received ${JSON.stringify(text)}`,
      )
    }
    return value
  }
}
