import { join } from 'node:path'
import type { AppendEntry, Clock, Log, LogRecord, StreamSpec } from '@eddy/core'
import { type EmbeddedEngine, type OpenEmbeddedOptions, openEmbedded, systemClock } from '@eddy/embedded'
import { expect, onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

/** An engine on a directory of its own (or the one named), closed when the test ends. */
export async function openEngine(options: Partial<OpenEmbeddedOptions> = {}): Promise<EmbeddedEngine> {
  const dataDir = options.dataDir ?? join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ ...options, dataDir })
  onTestFinished(() => engine.close())
  return engine
}

/** The machine's clock with a wall time that a test moves. */
export function movableClock(): Clock & { leap(ms: number): void } {
  let leapMs = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + leapMs,
    leap: (ms) => {
      leapMs += ms
    },
  }
}

export function streamSpec(name: string, more: Partial<StreamSpec> = {}): StreamSpec {
  return { name, shardCount: 1, retentionMs: 86_400_000, durability: 'fsync', ...more }
}

export function entries(count: number, prefix = 'e', bytes = 10): AppendEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    partitionKey: `key-${i}`,
    data: Buffer.from(`${prefix}-${i}`.padEnd(bytes, '.')),
  }))
}

/** Every record of the stream's first shard, or the shard named. */
export async function readAll(
  log: Log,
  stream: string,
  shardId = 'shardId-000000000000',
): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  let from: Parameters<Log['read']>[0]['from'] | undefined = { at: 'trim_horizon' }
  while (from !== undefined) {
    const result = await log.read({
      stream,
      shardId,
      from,
      maxRecords: 1_000,
      maxBytes: 8_000_000,
      waitMs: 0,
    })
    records.push(...result.records)
    from = result.records.length === 0 ? undefined : result.next
  }
  return records
}

/** Sequence numbers are dense: no holes, no duplicates. */
export function expectDense(records: readonly LogRecord[]): void {
  records.forEach((record, i) => {
    if (i > 0) expect(Number(record.sequenceNumber)).toBe(Number(records[i - 1]?.sequenceNumber) + 1)
  })
}
