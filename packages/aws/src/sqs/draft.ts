import type { QueueMessage, SendResult } from '@eddy/core'
import { messageGroupId, ownGroupId } from './group-ids.ts'
import type { Identity } from './identities.ts'
import type { MessageHeader } from './message-format.ts'
import type { Claim } from './sent-before.ts'

/** A message on its way through one call of `send`. */
export interface Draft {
  readonly message: QueueMessage
  readonly identity: Identity
  /** Of its deduplication id. */
  readonly claim: Claim | undefined
  /** How often an earlier copy was received. */
  readonly receives: number
}

export type Refused = Extract<SendResult, { ok: false }>

export function refused(message: string): Refused {
  return { ok: false, retryable: false, message }
}

export function unavailable(message: string): Refused {
  return { ok: false, retryable: true, message }
}

export function idOf({ claim, identity }: Draft): string {
  return claim?.messageId ?? identity.id
}

export function headerOf(draft: Draft): Omit<MessageHeader, 'as'> {
  const { message, identity, receives } = draft
  const { group, timer, body } = message
  const { seq, atMs, dueAtMs } = identity
  return {
    id: idOf(draft),
    seq,
    at: atMs,
    ...(dueAtMs !== undefined && { due: dueAtMs }),
    ...(receives > 0 && { n: receives }),
    ...(group !== undefined && { group }),
    ...(timer !== undefined && { timer: timer === body ? true : timer }),
  }
}

/** In a FIFO queue. */
export function groupIdOf(draft: Draft): string {
  const { group } = draft.message
  return group === undefined ? ownGroupId(idOf(draft)) : messageGroupId(group)
}
