import type { PublishCommandInput } from '@aws-sdk/client-sns'
import type { Notice } from '@eddy/core'

/** SNS: up to 100 characters of ASCII without line ends. */
const MAX_SUBJECT = 100
/** Names, types and values of the attributes count, too. */
const ATTRIBUTES_BYTES = 1_024
const CUT = '…'

/**
 * A notice as a message: its JSON, a subject for people who get it by e-mail, and what a subscription of the topic may
 * filter by. A reason that is too long is cut.
 */
export function noticeMessage(notice: Notice, maxBytes: number): PublishCommandInput {
  const { kind, subscription } = notice
  return {
    Message: fitted(notice, maxBytes - ATTRIBUTES_BYTES),
    Subject: `Eddy: ${kind}, ${subscription}`.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_SUBJECT),
    MessageAttributes: {
      kind: { DataType: 'String', StringValue: kind },
      subscription: { DataType: 'String', StringValue: subscription },
    },
  }
}

function fitted(notice: Notice, maxBytes: number): string {
  const whole = JSON.stringify(notice)
  const over = Buffer.byteLength(whole) - maxBytes
  if (over <= 0 || !('reason' in notice)) return whole
  // A character takes six bytes of JSON at most (\u001f), and a cut pair is written as one such escape.
  for (let kept = notice.reason.length; kept > 0; kept = Math.floor(kept / 2)) {
    const shorter = JSON.stringify({ ...notice, reason: `${notice.reason.slice(0, kept)}${CUT}` })
    if (Buffer.byteLength(shorter) <= maxBytes) return shorter
  }
  return JSON.stringify({ ...notice, reason: CUT })
}
