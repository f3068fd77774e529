import { Producer, type ProducerLog, type ProducerOptions } from '@eddy/core'
import { md5, md5Hex, systemClock } from '@eddy/embedded/machine'

/**
 * A producer on this machine's clock, over any log that it can append to: a server's over HTTP, or Kinesis.
 *
 * @example
 * import { KinesisProducerLog, kinesisClient } from '@eddy/aws/kinesis'
 * const producer = createProducer(new KinesisProducerLog({ client: kinesisClient({ region: 'eu-west-1' }) }))
 * await producer.produce('orders', events, { onOutcome })
 * @throws InvalidOptionError
 */
export function createProducer(
  log: ProducerLog,
  options: Omit<ProducerOptions, 'log' | 'clock' | 'md5' | 'md5Hex'> = {},
): Producer {
  return new Producer({ ...options, log, clock: systemClock, md5, md5Hex })
}
