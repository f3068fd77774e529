import { createHash } from 'node:crypto'

const PLAIN = /^[!-~]{1,128}$/

/** A group as SQS takes it: up to 128 printable ASCII characters. Others are hashed; the header has them as they are. */
export function messageGroupId(group: string): string {
  return PLAIN.test(group) && !group.startsWith('#')
    ? group
    : `#${createHash('sha256').update(group).digest('hex')}`
}

/** In a FIFO queue every message has a group: one without has its own. */
export function ownGroupId(messageId: string): string {
  return `#alone-${messageId}`
}

/** Of a message that somebody else sent; undefined: in none that anybody knows. */
export function groupOfForeign(groupId: string | undefined): string | undefined {
  return groupId === undefined || groupId.startsWith('#') ? undefined : groupId
}
