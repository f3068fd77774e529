import { type AppendMarks, InvalidOptionError } from '@eddy/core'
import { integer, text } from '../http/fields.ts'
import { parseSequenceRanges } from './sequence-ranges.ts'

type Header = (name: string) => string | undefined

const FIRST = 'eddy-first-sequence'
const RANGES = 'eddy-sequences'
const PRODUCER = 'eddy-producer-id'
const TRIES = 'eddy-tries'

/**
 * What a repeated request is known by: the headers `eddy-producer-id` and, for the records in their order,
 * `eddy-first-sequence` (they follow by one) or `eddy-sequences` (ranges).
 *
 * @param records - in the body, bad ones included
 * @returns undefined when the request names no producer
 * @throws InvalidOptionError
 */
export function requestMarks(header: Header, records: number): AppendMarks | undefined {
  const producerId = text({ [PRODUCER]: header(PRODUCER) }, PRODUCER, { max: 256 })
  const sequences = sequencesOf(header, records)
  if (producerId !== undefined && sequences !== undefined) return { producerId, sequences }
  if (producerId === undefined && sequences === undefined) return undefined
  throw new InvalidOptionError(
    producerId === undefined ? PRODUCER : FIRST,
    `both ${PRODUCER} and ${FIRST} or ${RANGES}, or none of them`,
    undefined,
  )
}

/** True with `eddy-tries: 1`: whoever asks sends again by itself what fails. @throws InvalidOptionError */
export function isOneTry(header: Header): boolean {
  const tries = header(TRIES)
  if (tries === undefined || tries === '1') return tries === '1'
  throw new InvalidOptionError(TRIES, '1, or no such header: the server then sends again by itself', tries)
}

function sequencesOf(header: Header, records: number): readonly number[] | undefined {
  const first = header(FIRST)
  const ranges = header(RANGES)
  if (ranges === undefined) {
    const value = first !== undefined && /^\d{1,15}$/.test(first) ? Number(first) : first
    const firstSequence = integer({ [FIRST]: value }, FIRST, { min: 0, max: 999_999_999_999_999 })
    if (firstSequence === undefined) return undefined
    return Array.from({ length: records }, (_, index) => firstSequence + index)
  }
  if (first !== undefined) throw new InvalidOptionError(RANGES, `no ${FIRST} beside it`, ranges.slice(0, 40))
  const sequences = parseSequenceRanges(RANGES, ranges, records)
  if (sequences.length === records) return sequences
  throw new InvalidOptionError(RANGES, `${records} sequences, one a record`, `${sequences.length} sequences`)
}
