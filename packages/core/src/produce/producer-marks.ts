/**
 * The mark of a record whose log does not drop copies (`Log.dropsCopies`): the CloudEvents extension attributes
 * `eddyproducer` and `eddysequence`, written as the first two members of the event's JSON. Readers drop a record whose
 * mark they have seen earlier in its shard (consume/copies.ts).
 *
 * - The first sending of a record carries its mark already, and every sending of it the same.
 * - A producer id is never used again for other records.
 * - Readers keep runs of sequences. They stay small when the records that one producer id marks go to one shard, as they
 *   do with an id for each predicted shard; a record that is sent again elsewhere (after a split) keeps its mark.
 */
export interface ProducerMark {
  /** 1 to 64 characters of `a-zA-Z0-9_.:/-`. */
  readonly producer: string
  /** 0, 1, 2, … a producer id. */
  readonly sequence: number
}

const PRODUCER_START = '{"eddyproducer":"'
const SEQUENCE_START = '","eddysequence":"'
const MAX_PRODUCER_BYTES = 64
/** Of Number.MAX_SAFE_INTEGER, less one: every number of as many digits is exact. */
const MAX_SEQUENCE_DIGITS = 15

const encoder = new TextEncoder()
const PRODUCER_BYTES = encoder.encode(PRODUCER_START)
const SEQUENCE_BYTES = encoder.encode(SEQUENCE_START)
const QUOTE = 0x22
const ZERO = 0x30
const COMMA = 0x2c

/**
 * The event with the mark in place of any that it has. CloudEvents integers have 32 bits, so the sequence is text.
 * @param event - the JSON text of an object with members, UTF-8, no white space before the first one; other bytes are returned as they are
 */
export function markEvent(event: Uint8Array, mark: ProducerMark): Uint8Array {
  const from = endOfMark(event)?.end ?? 1
  if (event[0] !== PRODUCER_BYTES[0] || event[from] !== QUOTE) return event
  const start = encoder.encode(`${PRODUCER_START}${mark.producer}${SEQUENCE_START}${mark.sequence}",`)
  const marked = new Uint8Array(start.length + event.length - from)
  marked.set(start)
  marked.set(event.subarray(from), start.length)
  return marked
}

/** The mark that the event begins with. Bytes without one cost a look at a few of them. */
export function readMark(event: Uint8Array): ProducerMark | undefined {
  // Unmarked events begin with `{"specversion"`: the third byte tells.
  if (event[2] !== PRODUCER_BYTES[2]) return undefined
  return endOfMark(event)?.mark
}

/** Records of one producer come one after another: its id is read once. With what follows it. */
let lastProducer = ''
let lastProducerBytes: Uint8Array = PRODUCER_BYTES

function endOfMark(event: Uint8Array): { readonly mark: ProducerMark; readonly end: number } | undefined {
  const from = PRODUCER_BYTES.length
  if (!hasAt(event, 0, PRODUCER_BYTES)) return undefined
  if ((lastProducer === '' || !hasAt(event, from, lastProducerBytes)) && !readProducer(event, from))
    return undefined
  const producer = lastProducer
  const digitsFrom = from + lastProducerBytes.length
  let sequence = 0
  let at = digitsFrom
  for (; at < digitsFrom + MAX_SEQUENCE_DIGITS; at += 1) {
    const digit = (event[at] ?? QUOTE) - ZERO
    if (digit < 0 || digit > 9) break
    sequence = sequence * 10 + digit
  }
  const hasLeadingZero = event[digitsFrom] === ZERO && at > digitsFrom + 1
  if (at === digitsFrom || hasLeadingZero || event[at] !== QUOTE || event[at + 1] !== COMMA) return undefined
  return { mark: { producer, sequence }, end: at + 2 }
}

/** @returns false when there is none */
function readProducer(event: Uint8Array, from: number): boolean {
  const to = event.subarray(0, from + MAX_PRODUCER_BYTES + 1).indexOf(QUOTE, from)
  if (to <= from || !hasAt(event, to, SEQUENCE_BYTES)) return false
  const producer = String.fromCharCode(...event.subarray(from, to))
  if (!/^[\w.:/-]+$/.test(producer)) return false
  lastProducer = producer
  // A copy: a view would keep the record.
  lastProducerBytes = Uint8Array.from(event.subarray(from, to + SEQUENCE_BYTES.length))
  return true
}

function hasAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index += 1) if (bytes[at + index] !== wanted[index]) return false
  return true
}
