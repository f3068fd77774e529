import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { Log } from '@eddy/core'

export interface KinesisLogOptions {
  /** With `maxAttempts: 1`: what failed is sent again by the producer, which knows about order, and by nobody else. */
  readonly client: KinesisClient
}

/** What a producer needs of a log, on Amazon Kinesis Data Streams or anything that speaks its API. */
export class KinesisLog implements Pick<Log, 'keepsKeyOrder' | 'dropsCopies'> {
  readonly keepsKeyOrder = false
  readonly dropsCopies = false
  readonly #client: KinesisClient

  constructor(options: KinesisLogOptions) {
    this.#client = options.client
  }

  get client(): KinesisClient {
    return this.#client
  }
}
