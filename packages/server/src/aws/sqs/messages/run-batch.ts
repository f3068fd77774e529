import { AwsError } from '../../aws-error.ts'
import type { AwsStructure } from '../../aws-service.ts'
import { structuresIn, textIn } from '../input.ts'
import { prefixed } from '../sqs-errors.ts'

const MAX_ENTRIES = 10
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/

export interface BatchEntry {
  readonly id: string
  readonly input: AwsStructure
}

/** The entries of a batch. @throws AwsError if the batch as a whole is wrong */
export function readEntries(input: AwsStructure, entryName: string): readonly BatchEntry[] {
  const entries = structuresIn(input, 'Entries').map((entry) => ({
    id: textIn(entry, 'Id') ?? '',
    input: entry,
  }))
  if (entries.length === 0) {
    throw prefixed('EmptyBatchRequest', `There should be at least one ${entryName} in the request.`)
  }
  if (entries.length > MAX_ENTRIES) {
    throw prefixed(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    )
  }
  const seen = new Set<string>()
  for (const { id } of entries) {
    if (!ENTRY_ID.test(id)) {
      throw prefixed(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      )
    }
    if (seen.has(id)) throw prefixed('BatchEntryIdsNotDistinct', `Id ${id} repeated.`)
    seen.add(id)
  }
  return entries
}

/** Calls each entry by itself; what one of them is refused for is its own result. */
export async function runEntries(
  entries: readonly BatchEntry[],
  run: (input: AwsStructure) => Promise<AwsStructure>,
): Promise<AwsStructure> {
  // All are begun in this turn, so that they are stored together, in their order.
  const results = await Promise.all(
    entries.map(async ({ id, input }) => {
      try {
        return { successful: { Id: id, ...(await run(input)) } }
      } catch (error) {
        if (!(error instanceof AwsError)) throw error
        return { failed: { Id: id, SenderFault: true, Code: error.queryCode, Message: error.message } }
      }
    }),
  )
  const successful = results.flatMap((one) => one.successful ?? [])
  const failed = results.flatMap((one) => one.failed ?? [])
  // The service leaves out an empty one: clients ask whether there is a `Failed`.
  return {
    ...(successful.length > 0 && { Successful: successful }),
    ...(failed.length > 0 && { Failed: failed }),
  }
}
