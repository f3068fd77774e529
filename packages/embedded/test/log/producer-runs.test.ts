import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeenBlocks, SeenSequences } from '../../src/log/seen-sequences.ts'
import { openEngine, readAll, streamSpec } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SEQUENCES = 3_000

/** Seeded, so that a failure can be played again. */
function shuffled(count: number, seed: number): number[] {
  let state = seed
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
  return Array.from({ length: count }, (_, n) => n)
    .map((n) => [random(), n] as const)
    .sort(([a], [b]) => a - b)
    .map(([, n]) => n)
}

test('sequences in any order are each stored once, however often they come, over a restart, too (I2)', async () => {
  const dataDir = join(await temporaryFolder(), 'data')
  const first = await openEngine({ dataDir })
  await first.log.createStream(streamSpec('s', { shardCount: 2 }))
  const entryOf = (producerSequence: number) => ({
    partitionKey: `k${producerSequence % 50}`,
    data: new TextEncoder().encode(`${producerSequence}`),
    producerId: 'p',
    producerSequence,
  })
  const order = shuffled(SEQUENCES, 7)
  const stored = new Map<number, string>()
  const put = async (log: typeof first.log, sequences: readonly number[]) => {
    const batches: (readonly number[])[] = []
    for (let from = 0; from < sequences.length; from += 100) batches.push(sequences.slice(from, from + 100))
    for (const batch of batches) {
      const results = await log.append('s', batch.map(entryOf))
      for (const [index, sequence] of batch.entries()) {
        const result = results[index]
        if (result?.ok !== true) throw new Error(`${sequence} was refused`)
        const place = `${result.shardId} ${result.sequenceNumber}`
        expect(result.duplicate, `sequence ${sequence}`).toBe(stored.has(sequence))
        expect(stored.get(sequence) ?? place, `sequence ${sequence}`).toBe(place)
        stored.set(sequence, place)
      }
    }
  }
  await put(first.log, order.slice(0, 1_500))
  await put(first.log, order.slice(1_000, 1_600))
  await first.close()
  const second = await openEngine({ dataDir })
  await put(second.log, order.slice(1_400, 2_200))
  await put(second.log, order)
  expect(stored.size).toBe(SEQUENCES)
  const read = await Promise.all(
    (await second.log.listShards('s')).map(({ shardId }) => readAll(second.log, 's', shardId)),
  )
  expect(read.flat()).toHaveLength(SEQUENCES)
})

test('a sequence that was added may be stored, and one that was not is not, in a block that is known', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000)), fc.nat(3_000), (added, asked) => {
      const seen = new SeenSequences(new SeenBlocks(() => undefined))
      for (const block of [0, 1, 2]) seen.begin(block)
      for (const sequence of added) seen.add(sequence)
      expect(seen.has(asked)).toBe(added.includes(asked))
      seen.forget()
      expect(seen.has(asked)).toBe(true)
      expect(seen.knows(0)).toBe(false)
    }),
  )
})

test('at the limit all blocks are forgotten, and the new one is known (I6)', () => {
  let forgotten = 0
  const all = new SeenBlocks(() => {
    forgotten += 1
    seen.forget()
  })
  const seen = new SeenSequences(all)
  for (let block = 0; block <= 65_536; block += 1) seen.begin(block)
  expect(forgotten).toBe(1)
  expect([seen.knows(0), seen.knows(65_536)]).toEqual([false, true])
})
