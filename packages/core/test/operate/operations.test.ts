import { describe, expect, it } from 'vitest'
import {
  BackupUnsupportedError,
  InvalidOptionError,
  ReadOnlyError,
  SubscriptionNotFoundError,
} from '../../src/errors/request-errors.ts'
import {
  ShardNotFoundError,
  ShardStateError,
  StreamInUseError,
  StreamNotFoundError,
} from '../../src/errors/stream-errors.ts'
import type { Notice } from '../../src/model/app.ts'
import { desk, world } from './support/fixture.ts'

const HOUR_MS = 3_600_000

describe('streams', () => {
  it('creates with 7 days and fsync unless said otherwise, and tells the runtime', async () => {
    let changes = 0
    const onStreamsChanged = async (): Promise<void> => {
      changes += 1
    }
    const { operations } = desk(world().engine, {}, { onStreamsChanged })
    const created = await operations.createStream({ name: 'orders', shardCount: 2 })
    expect(created).toMatchObject({ retentionMs: 168 * HOUR_MS, durability: 'fsync', subscriptions: [] })
    expect(created.shards.map((shard) => shard.open)).toEqual([true, true])
    expect(changes).toBe(1)
    expect((await operations.listStreams()).map((stream) => stream.name)).toEqual(['orders'])
    await operations.deleteStream('orders')
    await expect(operations.showStream('orders')).rejects.toThrow(StreamNotFoundError)
    expect(changes).toBe(2)
  })

  it('names the limit that a new stream is over', async () => {
    const { operations } = desk(world().engine)
    await expect(operations.createStream({ name: 'a b', shardCount: 1 })).rejects.toThrow(/name/)
    await expect(operations.createStream({ name: 'a', shardCount: 0 })).rejects.toThrow(/shardCount/)
    await expect(operations.createStream({ name: 'a', shardCount: 1, retentionMs: 1 })).rejects.toThrow(
      /retentionMs/,
    )
  })

  it('does not delete a stream that the application reads', async () => {
    const { operations } = desk(world().engine)
    await operations.createStream({ name: 'orders', shardCount: 1 })
    await expect(operations.deleteStream('orders')).rejects.toThrow(StreamInUseError)
    await expect(operations.deleteStream('orders')).rejects.toThrow(/"billing"/)
    expect((await operations.showStream('orders')).subscriptions).toEqual(['billing'])
  })

  it('splits in the middle and merges with the next open shard, so that the ranges meet again', async () => {
    const { operations } = desk(world().engine)
    const before = await operations.createStream({ name: 'events', shardCount: 1 })
    const [first] = before.shards
    if (first === undefined) throw new Error('no shard')
    const split = await operations.splitShard('events', first.shardId)
    const open = split.shards.filter((shard) => shard.open)
    expect(open[1]?.startingHashKey).toBe((2n ** 127n).toString())
    await expect(operations.splitShard('events', first.shardId)).rejects.toThrow(ShardStateError)
    await expect(operations.splitShard('events', 'shardId-9')).rejects.toThrow(ShardNotFoundError)
    const lower = open[0]?.shardId ?? ''
    await expect(operations.splitShard('events', lower, '0')).rejects.toThrow(InvalidOptionError)
    await expect(operations.splitShard('events', lower, (2n ** 127n).toString())).rejects.toThrow(
      InvalidOptionError,
    )
    // The upper shard has no next one: it merges with the one before.
    const merged = await operations.mergeShards('events', open[1]?.shardId ?? '')
    const [whole, ...rest] = merged.shards.filter((shard) => shard.open)
    expect(rest).toEqual([])
    expect(whole).toMatchObject({
      startingHashKey: first.startingHashKey,
      endingHashKey: first.endingHashKey,
    })
    await expect(operations.mergeShards('events', whole?.shardId ?? '')).rejects.toThrow(/nothing to merge/)
  })

  it('does not merge shards that are not adjacent', async () => {
    const { operations } = desk(world().engine)
    const { shards } = await operations.createStream({ name: 'events', shardCount: 3 })
    const [a, , c] = shards
    await expect(operations.mergeShards('events', a?.shardId ?? '', c?.shardId)).rejects.toThrow(
      ShardStateError,
    )
  })
})

describe('subscriptions', () => {
  it('are listed, shown, paused, resumed and sought', async () => {
    const { operations, controls } = desk(world().engine, { mails: {}, billing: {} })
    expect((await operations.listSubscriptions()).map((status) => status.name)).toEqual(['billing', 'mails'])
    expect(await operations.pauseSubscription('billing', { by: 'ann' })).toMatchObject({ paused: true })
    expect(await operations.resumeSubscription('billing')).toMatchObject({ paused: false })
    await operations.resumeSubscription('billing', { resetBreaker: true, by: 'bob' })
    await operations.seekSubscription('billing', { at: 'trim_horizon' }, { shardId: 'shardId-0' })
    expect(controls.get('billing')?.asked).toEqual([
      'pause by ann',
      'resume',
      'reset the breaker',
      'resume',
      'seek trim_horizon shardId-0',
    ])
    expect((await operations.listAudit()).map((entry) => `${entry.action} ${entry.by}`).sort()).toEqual([
      'breaker-reset bob',
      'pause ann',
      'resume bob',
      'resume operator',
      'seek operator',
    ])
    await expect(operations.showSubscription('nobody')).rejects.toThrow(SubscriptionNotFoundError)
    await expect(operations.seekSubscription('billing', { at: 'yesterday' as 'latest' })).rejects.toThrow(
      /to.at/,
    )
    await expect(operations.pauseSubscription('billing', { by: '' })).rejects.toThrow(/by/)
  })
})

describe('a read-only server', () => {
  it('refuses every change with the action it refused', async () => {
    const { operations } = desk(world().engine, { billing: {} }, { readOnly: true })
    const changes: readonly (() => Promise<unknown>)[] = [
      () => operations.append('orders', []),
      () => operations.createStream({ name: 'a', shardCount: 1 }),
      () => operations.deleteStream('a'),
      () => operations.splitShard('a', 's'),
      () => operations.mergeShards('a', 's'),
      () => operations.pauseSubscription('billing'),
      () => operations.resumeSubscription('billing'),
      () => operations.seekSubscription('billing', { at: 'latest' }),
      () => operations.editFailure('id', new Uint8Array()),
      () => operations.dropFailures({}),
      () => operations.archiveFailures({}),
      () => operations.startRedrive({}),
      () => operations.cancelRedrive('id'),
    ]
    for (const change of changes) await expect(change()).rejects.toThrow(ReadOnlyError)
    expect(await operations.planRedrive({})).toMatchObject({ count: 0 })
    const counted = { matched: 0, changed: 0, dryRun: true }
    expect(await operations.dropFailures({}, { dryRun: true })).toEqual(counted)
    expect(await operations.archiveFailures({}, { dryRun: true })).toEqual(counted)
    expect(await operations.listFailures({})).toEqual({ items: [] })
  })
})

describe('watching', () => {
  it('gives a snapshot at once, another when it changed, notices as they come, and ends with the signal', async () => {
    const { engine, clock } = world()
    const { operations, control, notify } = desk(engine)
    const stop = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of operations.watch(stop.signal)) {
        seen.push(event.type === 'notice' ? event.data.kind : `paused ${event.data[0]?.paused}`)
      }
    })()
    await clock.sleep(10)
    expect(seen).toEqual(['paused false'])
    notify(notice)
    await clock.sleep(10)
    expect(seen).toEqual(['paused false', 'dead-letter'])
    await clock.sleep(3_000)
    expect(seen).toHaveLength(2)
    control.paused = true
    await clock.sleep(1_500)
    expect(seen.at(-1)).toBe('paused true')
    stop.abort()
    await watching
  })

  it('keeps the latest thousand notices for a reader that does not read (I6)', async () => {
    const { operations, notify } = desk(world().engine)
    const stop = new AbortController()
    const reader = operations.watch(stop.signal)[Symbol.asyncIterator]()
    await reader.next()
    for (let n = 0; n < 1_500; n += 1) notify({ ...notice, id: String(n) })
    const ids: string[] = []
    for (let n = 0; n < 1_000; n += 1) {
      const { value } = await reader.next()
      if (value?.type === 'notice' && value.data.kind === 'dead-letter') ids.push(value.data.id)
    }
    expect([ids[0], ids.at(-1), ids.length]).toEqual(['500', '1499', 1_000])
    stop.abort()
    expect((await reader.next()).done).toBe(true)
  })
})

describe('the rest', () => {
  it('hands on metrics, readiness and backup', async () => {
    const { engine } = world()
    const { operations } = desk(engine)
    expect(await operations.metrics()).toBe('eddy_up 1\n')
    expect(operations.ready()).toBe(true)
    await expect(operations.backup('/tmp/x')).rejects.toThrow(BackupUnsupportedError)
    const backup = async (): Promise<{ bytes: number }> => ({ bytes: 7 })
    expect(await desk(engine, {}, { backup }).operations.backup('/tmp/x')).toEqual({ bytes: 7 })
  })
})

const notice: Extract<Notice, { kind: 'dead-letter' }> = {
  kind: 'dead-letter',
  subscription: 'billing',
  id: 'x',
  key: 'k',
  reason: 'r',
  atMs: 0,
}
