import { sampleData } from '../support/sample-events.ts'
import type { Body } from './tally.ts'

/** `,"n":12345` */
const NUMBER_CHARACTERS = 10

/**
 * Bodies of 1,024 bytes of JSON (a few less for small numbers), numbered from 0 on: objects, as an application has them.
 * Every side gets these same objects and serialises them itself.
 */
export function numberedBodies(count: number): Body[] {
  const { note, ...rest } = sampleData(0)
  const template = { ...rest, note: String(note).slice(NUMBER_CHARACTERS) }
  return Array.from({ length: count }, (_, n) => ({ ...template, n }))
}
