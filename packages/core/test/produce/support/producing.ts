import { expect } from 'vitest'
import { ProduceError } from '../../../src/errors/produce-error.ts'
import { decodeEvent } from '../../../src/model/envelope.ts'
import type { NewEvent } from '../../../src/model/event.ts'
import type { AppendResult } from '../../../src/ports/log.ts'
import type { ProduceReport } from '../../../src/produce/produce-options.ts'
import { Producer, type ProducerOptions } from '../../../src/produce/producer.ts'
import type { AutoClock } from '../../operate/support/auto-clock.ts'
import { world } from '../../operate/support/fixture.ts'
import type { MemoryLog } from '../../operate/support/memory-log.ts'

export const throttled: AppendResult = { ok: false, code: 'throttled', retryable: true, message: 'slow down' }
export const internal: AppendResult = {
  ok: false,
  code: 'internal',
  retryable: true,
  message: 'a node is gone',
}

export function setup(options: Partial<ProducerOptions> = {}): {
  readonly log: MemoryLog
  readonly clock: AutoClock
  readonly producer: Producer
} {
  const { log, clock, engine } = world()
  void log.createStream({ name: 'orders', shardCount: 1, retentionMs: 86_400_000, durability: 'fsync' })
  return { log, clock, producer: new Producer({ log, clock, md5Hex: engine.md5Hex, ...options }) }
}

/** A gate that calls of the log wait at until it is opened. */
export function gate(log: MemoryLog): { open(): void; readonly waiting: number } {
  const waiting: (() => void)[] = []
  let isOpen = false
  log.afterAppend = () =>
    isOpen ? undefined : new Promise((resolve) => waiting.push(() => resolve(undefined)))
  return {
    open() {
      isOpen = true
      for (const wake of waiting.splice(0)) wake()
    },
    get waiting() {
      return waiting.length
    },
  }
}

export function* numbered(count: number, key: (n: number) => string = (n) => `k${n}`): Generator<NewEvent> {
  for (let n = 0; n < count; n += 1) yield { key: key(n), data: { n } }
}

export async function* later(events: Iterable<NewEvent>): AsyncGenerator<NewEvent> {
  for (const event of events) {
    await Promise.resolve()
    yield event
  }
}

export function numberOf(event: NewEvent): number {
  return (event.data as { n: number }).n
}

export function stored(log: MemoryLog): number[] {
  return log.stored.map((entry) => (decodeEvent(entry.data).data as { n: number }).n)
}

export async function remainderOf(report: Pick<ProduceReport<NewEvent>, 'remainder'>): Promise<number[]> {
  const numbers: number[] = []
  for await (const event of report.remainder) numbers.push(numberOf(event))
  return numbers
}

export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n)

export async function caught(producing: Promise<unknown>): Promise<ProduceError> {
  const error: unknown = await producing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ProduceError)
  return error as ProduceError
}
