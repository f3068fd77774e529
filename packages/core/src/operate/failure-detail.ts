import { FailureNotFoundError } from '../errors/request-errors.ts'
import { parseFailureId } from '../fail/keys.ts'
import type { LedgerEntry } from '../fail/ledger.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import type { FailureDetail, Payload } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BASE64_CHUNK_BYTES = 0x8000

/** @throws FailureNotFoundError */
export async function requireFailure(
  deps: Pick<OperationsDeps, 'subscriptions'>,
  id: string,
): Promise<{ readonly control: SubscriptionControl; readonly entry: LedgerEntry }> {
  const control = deps.subscriptions.get(parseFailureId(id)?.subscription ?? '')
  const entry = await control?.ledger.getById(id)
  if (control === undefined || entry === undefined) throw new FailureNotFoundError(id)
  return { control, entry }
}

/** The item with its payload; the payload is undefined once it was removed (a handled event's is). */
export async function failureDetail(
  control: SubscriptionControl,
  entry: LedgerEntry,
): Promise<FailureDetail> {
  const bytes = await control.ledger.payload(entry)
  return { item: entry.item, payload: bytes === undefined ? undefined : payloadOf(bytes) }
}

/** Text when the bytes are UTF-8, else base64. */
export function payloadOf(bytes: Uint8Array): Payload {
  try {
    return { encoding: 'utf8', content: decoder.decode(bytes), bytes: bytes.length }
  } catch {
    return { encoding: 'base64', content: base64(bytes), bytes: bytes.length }
  }
}

function base64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let from = 0; from < bytes.length; from += BASE64_CHUNK_BYTES) {
    parts.push(String.fromCharCode(...bytes.subarray(from, from + BASE64_CHUNK_BYTES)))
  }
  return btoa(parts.join(''))
}
