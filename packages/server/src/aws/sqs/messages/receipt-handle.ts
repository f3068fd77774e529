import { invalidReceipt } from '../sqs-errors.ts'

/** Which receive of which message: counted per message, so each receive has its own handle. */
export interface Receipt {
  readonly queueId: string
  readonly sequence: number
  readonly receiveCount: number
}

const RECEIPT = /^([A-Za-z0-9-]{1,40}) (\d{1,15}) (\d{1,9})$/
const MAX_HANDLE_CHARACTERS = 1_024

/** Opaque to clients, as the service's own are. */
export function receiptHandle({ queueId, sequence, receiveCount }: Receipt): string {
  return Buffer.from(`${queueId} ${sequence} ${receiveCount}`).toString('base64')
}

/** @throws AwsError if it is no handle, or one of another queue */
export function parseReceiptHandle(handle: string, queueId: string): Receipt {
  if (handle.length > MAX_HANDLE_CHARACTERS) throw invalidReceipt()
  const text = Buffer.from(handle, 'base64').toString('latin1')
  const [, queue, sequence, receiveCount] = RECEIPT.exec(text) ?? []
  if (queue !== queueId) throw invalidReceipt()
  return { queueId, sequence: Number(sequence), receiveCount: Number(receiveCount) }
}
