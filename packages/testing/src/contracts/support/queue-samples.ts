import type { Delivery, Queue, QueueMessage, ReceiveRequest } from '@eddy/core'
import { expect } from 'vitest'
import type { Subject } from './contract-test.ts'

export const QUEUE = 'retry/billing'

export function message(body: string, delayMs = 0): QueueMessage {
  return { body, delayMs }
}

export function receiveRequest(more: Partial<ReceiveRequest> = {}): ReceiveRequest {
  return { queue: QUEUE, maxMessages: 1_000, visibilityMs: 3_600_000, waitMs: 0, ...more }
}

/** Sends and expects every message to be accepted. */
export async function accept(queue: Queue, messages: readonly QueueMessage[]): Promise<string[]> {
  const results = await queue.send(QUEUE, messages)
  expect(results).toHaveLength(messages.length)
  return results.map((result) => {
    if (!result.ok) throw new Error(`expected the message to be accepted, received ${JSON.stringify(result)}`)
    return result.messageId
  })
}

/** Receives, without acknowledging, until something is delivered. */
export function deliver(subject: Subject, more: Partial<ReceiveRequest> = {}): Promise<readonly Delivery[]> {
  return subject.eventually('a delivery', async () => {
    const deliveries = await subject.engine.queue.receive(receiveRequest(more))
    return deliveries.length > 0 ? deliveries : undefined
  })
}

/** Receives and acknowledges until the queue is empty; each body as often as it came. */
export async function drain(subject: Subject): Promise<string[]> {
  const bodies: string[] = []
  const { queue } = subject.engine
  await subject.eventually('the queue to be empty', async () => {
    const deliveries = await queue.receive(receiveRequest({ visibilityMs: 200 }))
    bodies.push(...deliveries.map((delivery) => delivery.body))
    await queue.ack(
      QUEUE,
      deliveries.map((delivery) => delivery.receipt),
    )
    return (await queue.depth(QUEUE)) === 0 ? true : undefined
  })
  return bodies
}
