import { AckPolicy, type Consumer, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { pinnedVersion } from '../../support/pinned-version.ts'
import {
  BATCH,
  CALLERS,
  type Consumption,
  type Peer,
  type PeerQueue,
  RETRY_WAIT_MS,
  type RunningPeer,
} from '../peer.ts'
import { startNats } from '../servers/nats-server.ts'
import { ATTEMPTS, type Body, type Tally } from '../tally.ts'
import { inBatches } from './in-batches.ts'

const DURABLE = 'bench'
/** The disk may be slow, and 2,000 publishes wait for it one after another. */
const PUBLISH_TIMEOUT_MS = 30_000
const SETTLE_EVERY_MS = 2

export const jetStream: Peer = {
  name: 'NATS JetStream',
  messages: 4_000,
  how: `publishes in windows of ${BATCH}; one pull consumer, ${CALLERS * BATCH} messages ahead, an ack each; failed: nak with ${RETRY_WAIT_MS} ms`,
  progress: "acks are not answered; the server writes the consumer's state behind them, so some come again",
  async start(place): Promise<RunningPeer> {
    const server = await startNats(place)
    const connection = await connect({ servers: `127.0.0.1:${server.port}` })
    return {
      version: `${pinnedVersion('@nats-io/jetstream')}, nats-server ${connection.info?.version}`,
      serverCpuMs: () => server.cpuMs(),
      queue: (name) => JetStreamQueue.open(connection, name),
      stop: async () => {
        await connection.close()
        await server.stop()
      },
    }
  },
}

class JetStreamQueue implements PeerQueue {
  readonly #connection: NatsConnection
  readonly #name: string
  readonly #consumer: Consumer

  private constructor(connection: NatsConnection, name: string, consumer: Consumer) {
    this.#connection = connection
    this.#name = name
    this.#consumer = consumer
  }

  static async open(connection: NatsConnection, name: string): Promise<JetStreamQueue> {
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name, subjects: [name], storage: StorageType.File })
    await manager.consumers.add(name, {
      durable_name: DURABLE,
      ack_policy: AckPolicy.Explicit,
      max_deliver: ATTEMPTS,
      max_ack_pending: 2 * CALLERS * BATCH,
    })
    return new JetStreamQueue(connection, name, await jetstream(connection).consumers.get(name, DURABLE))
  }

  async produce(messages: readonly Body[]): Promise<void> {
    const client = jetstream(this.#connection, { timeout: PUBLISH_TIMEOUT_MS })
    await inBatches(messages, async (batch) => {
      await Promise.all(batch.map((body) => client.publish(this.#name, JSON.stringify(body))))
    })
  }

  async consume(tally: Tally): Promise<Consumption> {
    const messages = await this.#consumer.consume({ max_messages: CALLERS * BATCH })
    const loop = (async () => {
      // Started and not waited for: as many run at a time as messages are there.
      for await (const message of messages) {
        void tally.handle(message.json<Body>()).then(
          () => message.ack(),
          () => message.nak(RETRY_WAIT_MS),
        )
      }
    })()
    loop.catch((error) => tally.fail(error))
    return {
      settle: async () => {
        while ((await this.left()) > 0) await new Promise((resolve) => setTimeout(resolve, SETTLE_EVERY_MS))
        await messages.close()
      },
    }
  }

  async left(): Promise<number> {
    const info = await this.#consumer.info()
    return info.num_pending + info.num_ack_pending
  }

  async close(): Promise<void> {
    const manager = await jetstreamManager(this.#connection)
    await manager.streams.delete(this.#name)
  }
}
