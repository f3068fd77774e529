import { createHash } from 'node:crypto'
import { failureId } from '../../../src/fail/keys.ts'
import type { Notice } from '../../../src/model/app.ts'
import { encodeEvent } from '../../../src/model/envelope.ts'
import type { LedgerItem } from '../../../src/model/ledger-item.ts'
import { editedPosition, positionOf } from '../../../src/model/position.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { createOperations, type RunningOperations } from '../../../src/operate/create-operations.ts'
import type { OperationsDeps } from '../../../src/operate/operations-deps.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import type { Queue } from '../../../src/ports/queue.ts'
import { appendOnce } from '../../../src/produce/append-once.ts'
import { Producer } from '../../../src/produce/producer.ts'
import { Sender } from '../../../src/produce/sender.ts'
import { AutoClock } from './auto-clock.ts'
import { FakeControl, type FakeOptions } from './fake-control.ts'
import { MemoryBlobs } from './memory-blobs.ts'
import { MemoryLog } from './memory-log.ts'
import { MemoryTable } from './memory-table.ts'

export interface World {
  readonly engine: Engine
  readonly clock: AutoClock
  readonly log: MemoryLog
  /** Bodies sent to each retry queue. */
  readonly tokens: string[]
}

export function world(): World {
  const clock = new AutoClock()
  const log = new MemoryLog(clock)
  const tokens: string[] = []
  const queue = {
    send: async (_queue: string, messages: readonly { readonly body: string }[]) => {
      tokens.push(...messages.map((message) => message.body))
      return messages.map(() => ({ ok: true as const, messageId: 'm' }))
    },
  } as unknown as Queue
  const engine: Engine = {
    log,
    queue,
    table: new MemoryTable(clock),
    blobs: new MemoryBlobs(),
    clock,
    md5Hex,
    md5: (bytes) => createHash('md5').update(bytes).digest(),
    close: async () => undefined,
  }
  return { engine, clock, log, tokens }
}

export interface Desk {
  readonly operations: RunningOperations
  readonly controls: ReadonlyMap<string, FakeControl>
  readonly control: FakeControl
  notify(notice: Notice): void
}

/** Operations over fake subscriptions: `billing` unless named. */
export function desk(
  engine: Engine,
  subscriptions: Readonly<Record<string, FakeOptions>> = { billing: {} },
  overrides: Partial<OperationsDeps> = {},
): Desk {
  const controls = new Map(
    Object.entries(subscriptions).map(([name, options]) => [name, new FakeControl(engine, name, options)]),
  )
  const listeners = new Set<(notice: Notice) => void>()
  const producer = new Producer({ log: engine.log, clock: engine.clock, md5Hex: engine.md5Hex })
  const sender = new Sender(engine, new Map())
  const operations = createOperations({
    engine,
    streams: new Map(),
    queues: new Map(),
    subscriptions: controls,
    producer: {
      append: (name, events, options) => producer.append(name, events, options),
      appendOnce: (name, events, marks) =>
        appendOnce({ log: engine.log, clock: engine.clock, schema: undefined }, name, events, marks),
      send: (name, messages) => sender.send(name, messages),
    },
    logger: silentLogger,
    readOnly: false,
    metrics: () => 'eddy_up 1\n',
    ready: () => true,
    notices: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ...overrides,
  })
  return {
    operations,
    controls,
    control: [...controls.values()][0] as FakeControl,
    notify(notice) {
      for (const listener of listeners) listener(notice)
    },
  }
}

export interface FailureSpec extends Partial<LedgerItem> {
  readonly n: number
  readonly payload?: Uint8Array
}

/** Puts a failure into a subscription's ledger, dead unless said otherwise. */
export async function failure(control: FakeControl, engine: Engine, spec: FailureSpec): Promise<LedgerItem> {
  const { n, payload, ...given } = spec
  const key = given.key ?? `key-${n}`
  const laneId = md5Hex(key)
  const position = positionOf(0, 0, String(1_000 + n))
  const nowMs = engine.clock.now()
  const item: LedgerItem = {
    id: failureId(control.definition.name, laneId, position),
    subscription: control.definition.name,
    stream: 'orders',
    shardId: 'shardId-000000000000',
    sequenceNumber: String(1_000 + n),
    position,
    key,
    eventId: `event-${n}`,
    eventType: 'order.placed',
    arrivedAtMs: nowMs,
    status: 'dead',
    attempts: 3,
    deliveries: 3,
    history: [],
    lastError: { type: 'PaymentRefused', message: `card ${n} refused`, fingerprint: 'fp-payment' },
    fingerprint: 'fp-payment',
    firstFailedAtMs: nowMs,
    updatedAtMs: nowMs,
    statusAtMs: nowMs,
    payloadBytes: 0,
    redrives: [],
    ...given,
  }
  const written = await control.ledger.create(laneId, item, payload ?? payloadOf(item))
  if (!written.ok) throw new Error(`failure ${n} is there already`)
  return written.entry.item
}

export function payloadOf(
  item: Pick<LedgerItem, 'key' | 'eventId'>,
  data: unknown = { amount: 10 },
): Uint8Array {
  return encodeEvent({ key: item.key, id: item.eventId, data }, { stream: 'orders', id: 'unused', nowMs: 0 })
}

/** The payload of a failure as it is stored, wherever that is. */
export async function storedPayload(control: FakeControl, id: string): Promise<Uint8Array> {
  const entry = await control.ledger.getById(id)
  const payload = entry === undefined ? undefined : await control.ledger.payload(entry)
  if (payload === undefined) throw new Error(`failure ${id} has no payload`)
  return payload
}

/** The id of an item's nth edit. */
export function editId(item: LedgerItem, n = 1): string {
  return failureId(item.subscription, md5Hex(item.key), editedPosition(item.position, n))
}

export function md5Hex(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
