/**
 * What a message of ours is in SQS, whose attributes EventBridge Scheduler could not send along: a line with a header, then
 * the content.
 *
 *   eddy/1 {"id":"…","seq":"…","at":1767225600000,"as":"text"}
 *   {"specversion":"1.0",…}
 *
 * A body without such a line is a message of somebody else's, as it is.
 */
export interface MessageHeader {
  /** Of the port: the same for every copy of the message. */
  readonly id: string
  /** Decimal; where it was sent among others of its sender. */
  readonly seq: string
  /** Epoch milliseconds, by the sender's clock. */
  readonly at: number
  /** Not to be delivered before; epoch milliseconds. */
  readonly due?: number
  /** How often an earlier copy was received. */
  readonly n?: number
  readonly group?: string
  /** Of the port's message; true: the body itself. */
  readonly timer?: string | true
  /** `text`: as it is. `base64`: of its UTF-8. `blob`: the name of one with its UTF-8. */
  readonly as: 'text' | 'base64' | 'blob'
}

export interface WireMessage {
  readonly header: MessageHeader
  readonly content: string
}

const MARK = 'eddy/1 '
/** What SQS carries: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u
/** EventBridge Scheduler puts values in place of `<aws.scheduler.…>`. */
const REPLACED = '<aws.scheduler.'

/** Whether it can be sent as it is, and arrives as it is. */
export function isPlainText(text: string): boolean {
  return !FORBIDDEN.test(text) && !text.includes(REPLACED)
}

export function writeMessage({ header, content }: WireMessage): string {
  return `${MARK}${plain(JSON.stringify(header))}\n${content}`
}

/** Undefined for a message of somebody else's. */
export function readMessage(text: string): WireMessage | undefined {
  if (!text.startsWith(MARK)) return undefined
  const end = text.indexOf('\n')
  if (end < 0) return undefined
  try {
    const header = JSON.parse(text.slice(MARK.length, end)) as MessageHeader
    return isHeader(header) ? { header, content: text.slice(end + 1) } : undefined
  } catch {
    return undefined
  }
}

/** A group may be of any characters. */
function plain(json: string): string {
  return json.replace(
    /[<\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function isHeader(header: MessageHeader): boolean {
  if (typeof header !== 'object' || header === null) return false
  const { id, seq, at, due, as } = header
  return (
    typeof id === 'string' &&
    /^\d{1,40}$/.test(seq) &&
    Number.isFinite(at) &&
    (due === undefined || Number.isFinite(due)) &&
    ['text', 'base64', 'blob'].includes(as)
  )
}
