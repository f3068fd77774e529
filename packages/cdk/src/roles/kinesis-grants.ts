import { arn, type Grant, type Place } from './grant.ts'

/** What tells shards and their hash ranges, and whether the stream ignores keys. */
const DESCRIBE = ['DescribeStreamSummary', 'ListShards']

/** Streams that a subscription's events may be appended to, and that HTTP takes events for. */
export function writeStreamGrants(place: Place, streams: readonly string[]): readonly Grant[] {
  if (streams.length === 0) return []
  return [
    {
      service: 'kinesis',
      actions: [...DESCRIBE, 'PutRecords'],
      resources: streamArns(place, streams),
    },
  ]
}

/** Reading by GetRecords: of Lambda's poller, of the rescue, and of workers. */
export function readStreamGrants(place: Place, streams: readonly string[]): readonly Grant[] {
  if (streams.length === 0) return []
  return [
    {
      service: 'kinesis',
      actions: [...DESCRIBE, 'DescribeStream', 'GetRecords', 'GetShardIterator'],
      resources: streamArns(place, streams),
    },
  ]
}

/** Enhanced fan-out of a consumer that the constructs registered. */
export function consumerGrants(
  place: Place,
  streams: readonly string[],
  consumerArns: readonly string[],
): readonly Grant[] {
  if (consumerArns.length === 0) return []
  return [
    { service: 'kinesis', actions: ['SubscribeToShard'], resources: consumerArns },
    // Asked for by the stream and a name, which is looked up on both.
    {
      service: 'kinesis',
      actions: ['DescribeStreamConsumer'],
      resources: [...streamArns(place, streams), ...consumerArns],
    },
  ]
}

/** Whether a stream still honours keys is asked for, and its shards are listed, without reading it. */
export function describeStreamGrants(place: Place, streams: readonly string[]): readonly Grant[] {
  if (streams.length === 0) return []
  return [{ service: 'kinesis', actions: DESCRIBE, resources: streamArns(place, streams) }]
}

function streamArns(place: Place, streams: readonly string[]): readonly string[] {
  return streams.map((stream) => arn(place, 'kinesis', `stream/${stream}`))
}
