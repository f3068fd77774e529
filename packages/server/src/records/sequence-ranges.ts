import { InvalidOptionError } from '@eddy/core'

const RANGE = /^(\d{1,15})(?:-(\d{1,15}))?$/

/**
 * `17,20-23` as [17, 20, 21, 22, 23]: the sequences of a request's records, in their order.
 * @param most - sequences at most; a range is not written out beyond that (I6)
 * @throws InvalidOptionError
 */
export function parseSequenceRanges(name: string, text: string, most: number): readonly number[] {
  const sequences: number[] = []
  for (const part of text.split(',', most + 1)) {
    const match = RANGE.exec(part.trim())
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (match === null || last < first) {
      throw new InvalidOptionError(name, 'ranges of sequences such as 17,20-518', part.slice(0, 40))
    }
    if (sequences.length + (last - first) + 1 > most) {
      throw new InvalidOptionError(name, `at most ${most} sequences, one a record`, part.slice(0, 40))
    }
    for (let sequence = first; sequence <= last; sequence += 1) sequences.push(sequence)
  }
  return sequences
}
