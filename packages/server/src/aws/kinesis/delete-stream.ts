import type { AwsStructure } from '../aws-service.ts'
import { findStream, requireActive, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { resourceInUse } from './kinesis-errors.ts'

/** There are no enhanced fan-out consumers, so `EnforceConsumerDeletion` says nothing. */
export async function deleteStream(context: KinesisContext, input: StreamRef): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const readers = await context.readersOf(stream.name)
  // A text of our own: on the service no application would create the stream again.
  if (readers.length > 0)
    throw resourceInUse(
      `Stream ${stream.name} under account ${context.accountId} is read by subscription ${readers.join(', ')} of the ` +
        'running application, which would create it again. Take the subscription out of the application first.',
    )
  await context.changes.begin(stream.name, stream.notes, { kind: 'delete' })
  return {}
}
