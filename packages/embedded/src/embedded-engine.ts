import {
  type Blobs,
  type Clock,
  type Engine,
  type Log,
  type Logger,
  limitedLog,
  type Queue,
  type Table,
} from '@eddy/core'
import { type BackupResult, writeBackup } from './backup/write-backup.ts'
import { FileBlobs } from './blobs/file-blobs.ts'
import type { DataDirPaths } from './directory/data-dir.ts'
import { type OwnerGuard, SIGN_OF_LIFE_MS } from './directory/owner-guard.ts'
import { EmbeddedLog } from './log/embedded-log.ts'
import { md5, md5Hex } from './log/md5-hex.ts'
import { placeEntry } from './log/prepare-append.ts'
import { RemovedStreams } from './log/removed-streams.ts'
import { Retention } from './log/retention.ts'
import { StreamRegistry } from './log/stream-registry.ts'
import { EmbeddedQueue } from './queue/embedded-queue.ts'
import { MessageGroups } from './queue/message-groups.ts'
import { QueueRegistry } from './queue/queue-registry.ts'
import { SentBefore } from './queue/sent-before.ts'
import { ReadOnlyBlobs, ReadOnlyLog, ReadOnlyQueue, ReadOnlyTable } from './read-only-ports.ts'
import { replaceFile } from './store/durable-files.ts'
import { Stores } from './store/stores.ts'
import { EmbeddedTable } from './table/embedded-table.ts'
import { manyWaiters } from './time/many-waiters.ts'
import { runRepeatedly } from './time/run-repeatedly.ts'
import { systemClock } from './time/system-clock.ts'

export interface EmbeddedEngineParts {
  readonly paths: DataDirPaths
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined: opened for reading alone. */
  readonly guard: OwnerGuard | undefined
  readonly wasClean: boolean
  /** Where shards with `durability: 'os'` go on at least (log-store.ts). */
  readonly osSequenceFloor: number
}

const IDLE_MS = 1_000
const BUSY_MS = 10

/** The five ports on one data directory, made by `openEmbedded`. */
export class EmbeddedEngine implements Engine {
  readonly log: Log
  readonly queue: Queue
  readonly table: Table
  readonly blobs: Blobs
  readonly clock: Clock
  /** False when the process that had the directory before did not close it. */
  readonly wasClean: boolean
  readonly #parts: EmbeddedEngineParts
  readonly #stores: Stores
  readonly #closing = new AbortController()
  readonly #background: Promise<void>[] = []
  readonly #retention: Retention
  readonly #embeddedLog: EmbeddedLog
  readonly #fileBlobs: FileBlobs
  #closed: Promise<void> | undefined

  constructor(parts: EmbeddedEngineParts) {
    const { paths, clock, logger, guard } = parts
    const isReadOnly = guard === undefined
    const closing = this.#closing.signal
    manyWaiters(closing)
    this.#parts = parts
    this.clock = clock
    this.wasClean = parts.wasClean
    const stores = new Stores(paths, isReadOnly, parts.osSequenceFloor)
    this.#stores = stores
    const { committer } = stores
    const storeOf = stores.logStore.bind(stores)
    const registry = new StreamRegistry(stores.map('streams'), committer, storeOf)
    const removed = new RemovedStreams(stores.map('removed-streams'), committer, storeOf)
    const messages = stores.map('messages')
    const queues = new QueueRegistry(stores.map('queues'), messages)
    const maps = { items: stores.map('items'), index: stores.map('index'), expiry: stores.map('expiry') }
    try {
      registry.load()
      queues.load()
    } catch (error) {
      void stores.close()
      throw error
    }
    this.#embeddedLog = new EmbeddedLog({ registry, removed, committer, clock, closing })
    const groups = new MessageGroups(stores.map('message-groups'), messages)
    const sentBefore = new SentBefore(stores.map('message-ids'))
    const queue = new EmbeddedQueue({
      registry: queues,
      messages,
      groups,
      sentBefore,
      committer,
      clock,
      closing,
    })
    const table = new EmbeddedTable({ maps, committer, clock, closing })
    this.#fileBlobs = new FileBlobs(paths.blobs, paths.temporary, closing)
    this.#retention = new Retention(registry, clock, logger)
    this.log = isReadOnly
      ? new ReadOnlyLog(this.#embeddedLog)
      : withinLimits(this.#embeddedLog, registry, clock)
    this.queue = isReadOnly ? new ReadOnlyQueue(queue) : queue
    this.table = isReadOnly ? new ReadOnlyTable(table) : table
    this.blobs = isReadOnly ? new ReadOnlyBlobs(this.#fileBlobs) : this.#fileBlobs
    if (guard === undefined) return
    this.#repeat('retention', () => this.#retention.step())
    this.#repeat('removed streams', () => removed.step())
    this.#repeat('producer window', () => this.#embeddedLog.pruneProducers())
    this.#repeat('expired items', () => table.removeExpired())
    this.#showLife(guard)
  }

  md5Hex(text: string): string {
    return md5Hex(text)
  }

  md5(bytes: Uint8Array): Uint8Array {
    return md5(bytes)
  }

  /** Where this process is reached, once known; shown to a process that finds the directory taken. */
  async setAddress(address: string): Promise<void> {
    await this.#parts.guard?.setAddress(address)
  }

  /** Copies everything, as of one moment, to a new or empty directory while the engine runs. */
  async backup(target: string): Promise<BackupResult> {
    const { paths, clock } = this.#parts
    return writeBackup({ paths, target, stores: this.#stores, blobs: this.#fileBlobs, nowMs: clock.now() })
  }

  stats(): Readonly<Record<string, number>> {
    return {
      ...this.#embeddedLog.stats(),
      expiredRecords: this.#retention.removedRecords,
      ...this.#stores.stats(),
    }
  }

  /** Finishes what was accepted, marks the directory as closed in order, and frees it. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { guard, paths } = this.#parts
    this.#closing.abort()
    await Promise.all(this.#background)
    await this.#stores.close()
    if (guard === undefined) return
    await replaceFile(paths.cleanMark, '')
    await guard.release()
  }

  #repeat(name: string, step: () => Promise<boolean>): void {
    const { clock, logger } = this.#parts
    const task = { name, clock, logger, signal: this.#closing.signal, idleMs: IDLE_MS, busyMs: BUSY_MS, step }
    this.#background.push(runRepeatedly(task))
  }

  /** By the machine's clock, whatever clock the engine was given: other processes look at it. */
  #showLife(guard: OwnerGuard): void {
    const step = async (): Promise<boolean> => {
      await guard.giveSignOfLife()
      return false
    }
    const task = { name: 'sign of life', logger: this.#parts.logger, signal: this.#closing.signal, step }
    const pause = { idleMs: SIGN_OF_LIFE_MS, busyMs: SIGN_OF_LIFE_MS }
    this.#background.push(runRepeatedly({ ...task, ...pause, clock: systemClock }))
  }
}

function withinLimits(log: EmbeddedLog, registry: StreamRegistry, clock: Clock): Log {
  return limitedLog({
    log,
    clock,
    find: (name) => registry.find(name)?.info,
    shardIdOf: (name, entry) => {
      const stream = registry.find(name)
      return stream === undefined ? undefined : placeEntry(entry, stream.shape)?.shardId
    },
  })
}
