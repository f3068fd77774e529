/** `all`: it is a complete success. `none`: a complete failure. Else the identifiers that failed. */
export type ReportedFailures =
  | { readonly outcome: 'success' }
  | { readonly outcome: 'failure' }
  | { readonly outcome: 'partial'; readonly identifiers: readonly string[] }

/**
 * Reads a response under ReportBatchItemFailures.
 *
 * Complete success: an empty or null list, an empty or null response. Complete failure: an identifier that is empty, null
 * or under another name. (Lambda developer guide, "Configuring partial batch response with Kinesis Data Streams and
 * Lambda", success and failure conditions; the same for Amazon SQS.)
 */
export function reportedFailures(payload: unknown): ReportedFailures {
  if (payload === null || payload === undefined || payload === '') return { outcome: 'success' }
  const list = (payload as { readonly batchItemFailures?: unknown }).batchItemFailures
  if (list === undefined || list === null) return { outcome: 'success' }
  if (!Array.isArray(list)) return { outcome: 'failure' }
  if (list.length === 0) return { outcome: 'success' }
  const identifiers: string[] = []
  for (const entry of list) {
    const identifier = (entry as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier
    if (typeof identifier !== 'string' || identifier === '') return { outcome: 'failure' }
    identifiers.push(identifier)
  }
  return { outcome: 'partial', identifiers }
}
