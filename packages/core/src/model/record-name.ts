/** A record's numbers within its shard as people and ids have them: `1000000000000042`, and `…42:3` for one of an aggregate. */
export function recordName(record: {
  readonly sequenceNumber: string
  readonly subSequenceNumber?: number | undefined
}): string {
  const { sequenceNumber, subSequenceNumber } = record
  return subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber}:${subSequenceNumber}`
}
