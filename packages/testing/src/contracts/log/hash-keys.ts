import { createHash } from 'node:crypto'
import type { ShardInfo } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { entry, expectTiles, HASH_KEY_SPACE, openShards, spec, store } from '../support/log-samples.ts'

export function hashKeyTests(test: ContractTest): void {
  test('md5Hex is the MD5 of the UTF-8 bytes', async ({ engine }) => {
    expect(engine.md5Hex('')).toBe('d41d8cd98f00b204e9800998ecf8427e')
    expect(engine.md5Hex('abc')).toBe('900150983cd24fb0d6963f7d28e17f72')
    for (const text of ['ü', '日本', '\u{1f600}', 'x'.repeat(1_000)]) {
      expect(engine.md5Hex(text)).toBe(createHash('md5').update(text, 'utf8').digest('hex'))
    }
  })

  test('md5 is the MD5 of bytes', async ({ engine }) => {
    for (const size of [0, 1, 55, 56, 64, 1_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7) % 256)
      expect(Buffer.from(engine.md5(bytes)).toString('hex')).toBe(
        createHash('md5').update(bytes).digest('hex'),
      )
    }
  })

  test('first shards tile the 128-bit space, with no parents, at depth 0, under counted ids', async ({
    engine,
    options,
  }) => {
    for (const shardCount of [1, 2, 3, 7, 64]) {
      const stream = `of-${shardCount}`
      await engine.log.createStream(spec(stream, { shardCount }))
      const shards = await engine.log.listShards(stream)
      expectTiles(await openShards(engine.log, stream))
      expect(shards.map((shard) => shard.shardId)).toEqual(
        Array.from({ length: shardCount }, (_, i) => `shardId-${String(i).padStart(12, '0')}`),
      )
      for (const shard of shards) {
        expect(shard.parentShardIds).toEqual([])
        if (options.log?.hasOwnDepths !== true) expect(shard.depth).toBe(0)
        expect(shard.endingSequenceNumber).toBeUndefined()
        expect(shard.startingSequenceNumber).toMatch(/^[1-9]\d*$/)
      }
    }
  })

  test("a record goes to the shard whose range holds its key's MD5", async ({ engine }) => {
    await engine.log.createStream(spec('orders', { shardCount: 7 }))
    const shards = await engine.log.listShards('orders')
    const keys = Array.from({ length: 300 }, (_, i) => `kund\u00eb-${i}-\u{1f600}`)
    const stored = await store(
      engine.log,
      'orders',
      keys.map((key) => entry(key, 'v')),
    )
    for (const [i, key] of keys.entries()) {
      const hashKey = BigInt(`0x${createHash('md5').update(key, 'utf8').digest('hex')}`)
      expect(stored[i]?.shardId).toBe(shardOf(shards, hashKey))
    }
    expect(new Set(stored.map((one) => one.shardId)).size).toBe(7)
  })

  test('an explicit hash key places the record, at both ends of every range', async ({ engine }) => {
    await engine.log.createStream(spec('orders', { shardCount: 5 }))
    const shards = await engine.log.listShards('orders')
    const hashKeys = shards.flatMap((shard) => [shard.startingHashKey, shard.endingHashKey])
    hashKeys.push('0', (HASH_KEY_SPACE - 1n).toString(), (HASH_KEY_SPACE / 2n).toString())
    const stored = await store(
      engine.log,
      'orders',
      hashKeys.map((explicitHashKey) => entry('one key', 'v', { explicitHashKey })),
    )
    for (const [i, hashKey] of hashKeys.entries()) {
      expect(stored[i]?.shardId).toBe(shardOf(shards, BigInt(hashKey)))
    }
  })
}

function shardOf(shards: readonly ShardInfo[], hashKey: bigint): string | undefined {
  return shards.find(
    (shard) => BigInt(shard.startingHashKey) <= hashKey && hashKey <= BigInt(shard.endingHashKey),
  )?.shardId
}
