import { type Visit, welcome } from './welcome.ts'

interface KinesisEvent {
  readonly Records: readonly {
    readonly kinesis: { readonly sequenceNumber: string; readonly data: string }
  }[]
}

interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** Records come in order; the first that fails stops its shard until it succeeds, or the mapping gives it up. */
export async function handler({ Records }: KinesisEvent): Promise<BatchResponse> {
  for (const { kinesis } of Records) {
    try {
      await welcome(JSON.parse(Buffer.from(kinesis.data, 'base64').toString()) as Visit)
    } catch {
      return { batchItemFailures: [{ itemIdentifier: kinesis.sequenceNumber }] }
    }
  }
  return { batchItemFailures: [] }
}
