/**
 * Positions order the events of one key across shards and passes.
 *
 * Sequence numbers compare only within a shard, so a position is (pass, lineage depth, sequence number), written as
 * text that sorts by code unit: `pppp.dddd.lllSEQUENCE`, where `lll` is the length of the sequence number. A seek
 * starts a new pass, so what it reads again is a new event to the failure ledger and to every hold's watermark.
 *
 * A record within an aggregate has its place there as well: `…SEQUENCE:nnnnnn`. All of them sort after `…SEQUENCE`, which
 * is then no event's position, and before the next sequence number.
 */
export type Position = string

/** Seeks of one subscription, over all its life. */
export const MAX_PASS = 9_999
/** Written with four digits, and above that with fifteen behind an `x`, which sorts after every digit. */
const MAX_SHORT_DEPTH = 9_999
const MAX_DEPTH = 999_999_999_999_999
/** Digits of a place in an aggregate, which holds at most 1,000,000 records. */
const SUB_DIGITS = 6

export function positionOf(
  pass: number,
  depth: number,
  sequenceNumber: string,
  subSequenceNumber?: number,
): Position {
  if (pass > MAX_PASS || depth > MAX_DEPTH || sequenceNumber.length > 129) {
    throw new RangeError(`position out of range: pass ${pass}, depth ${depth}, sequence ${sequenceNumber}`)
  }
  const { length } = sequenceNumber
  if (pass !== last.pass || depth !== last.depth || length !== last.length)
    last = { pass, depth, length, start: `${pad(pass, 4)}.${depthText(depth)}.${pad(length, 3)}` }
  const position = last.start + sequenceNumber
  return subSequenceNumber === undefined ? position : `${position}:${pad(subSequenceNumber, SUB_DIGITS)}`
}

/** What positions begin with stays the same from record to record. */
let last = { pass: -1, depth: -1, length: -1, start: '' }

export interface PositionParts {
  readonly pass: number
  readonly depth: number
  readonly sequenceNumber: string
  readonly subSequenceNumber?: number
}

export function parsePosition(position: Position): PositionParts {
  const match = /^(\d{4})\.(\d{4}|x\d{15})\.\d{3}(\d+)(?::(\d+))?/.exec(position)
  if (match === null) throw new RangeError(`not a position: ${JSON.stringify(position)}`)
  return {
    pass: Number(match[1]),
    depth: Number(match[2]?.replace('x', '')),
    sequenceNumber: match[3] as string,
    ...(match[4] !== undefined && { subSequenceNumber: Number(match[4]) }),
  }
}

/** The place of the nth edit of the event at `position`: after it, before the key's next event. */
export function editedPosition(position: Position, edit: number): Position {
  return `${position}-${pad(edit, 4)}`
}

/** After `position` and all its edits, before the next event: the `lo` of a hold that was released. */
export function afterPosition(position: Position): Position {
  return `${position.split('-', 1)[0]}~`
}

/** Compares decimal sequence numbers of one shard: negative, zero or positive. */
export function compareSequence(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

function depthText(depth: number): string {
  return depth > MAX_SHORT_DEPTH ? `x${pad(depth, 15)}` : pad(depth, 4)
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
