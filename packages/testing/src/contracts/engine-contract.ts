import { expect } from 'vitest'
import {
  type ContractTest,
  contract,
  expectCode,
  expectWoken,
  LONG_WAIT_MS,
} from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'
import { entry, onlyShard, readOn, request, spec } from './support/log-samples.ts'
import { message, QUEUE, receiveRequest } from './support/queue-samples.ts'

/** What an engine promises as a whole, as vitest tests of the engines that `open` makes. */
export function engineContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`engine contract: ${name}`, open, options, { close: closeTests, stats: statsTests })
}

function closeTests(test: ContractTest): void {
  test('I9: after close reads and writes are refused by name, and closing again is no error', async ({
    engine,
  }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    await engine.close()
    const calls = [
      () => engine.log.append('orders', [entry('k', 'v')]),
      () => engine.log.read(request('orders', shardId)),
      () => engine.queue.send(QUEUE, [message('body')]),
      () => engine.queue.receive(receiveRequest()),
      () => engine.table.get({ partition: 'p', sort: 's' }),
      () => engine.table.put({ partition: 'p', sort: 's', value: 1 }, 'any'),
      () => engine.table.query({ partition: 'p', limit: 1 }),
      () => engine.blobs.put('key', new Uint8Array(1)),
      () => engine.blobs.get('key'),
    ]
    for (const call of calls) await expectCode(call(), 'EDDY_ENGINE_CLOSED')
    await engine.close()
  })

  test('I9: close ends calls that wait, with an answer or by name', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    const { last } = await readOn(engine.log, request('orders', shardId))
    if (last.next === undefined) throw new Error('expected a position to go on from')
    const waiting = request('orders', shardId, { from: last.next, waitMs: LONG_WAIT_MS })
    await expectWoken(engine.clock, async () => {
      const ends = [
        engine.log.read(waiting),
        engine.queue.receive(receiveRequest({ waitMs: LONG_WAIT_MS })),
      ].map((call) =>
        call.then(
          () => 'answered',
          (error: { readonly code?: unknown }) => error.code,
        ),
      )
      await engine.close()
      for (const end of ends) expect(['answered', 'EDDY_ENGINE_CLOSED']).toContain(await end)
    })
  })

  test('I9: deleting a stream ends the reads that wait for it', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    await expectWoken(engine.clock, async () => {
      const reading = engine.log
        .read(request('orders', shardId, { waitMs: LONG_WAIT_MS }))
        .catch((error: unknown) => error)
      await engine.log.deleteStream('orders')
      await reading
    })
    await expectCode(engine.log.read(request('orders', shardId)), 'EDDY_STREAM_NOT_FOUND')
  })

  test(
    'I1: what was acknowledged before close is there afterwards',
    async (subject) => {
      await subject.engine.table.put({ partition: 'p', sort: 's', value: 1 }, 'any')
      await subject.engine.close()
      const engine = await subject.reopen()
      expect((await engine.table.get({ partition: 'p', sort: 's' }))?.value).toBe(1)
    },
    { needs: 'reopen' },
  )
}

function statsTests(test: ContractTest): void {
  test('stats, where there are any, are finite numbers', async ({ engine }) => {
    await engine.table.put({ partition: 'p', sort: 's', value: 1 }, 'any')
    for (const [name, value] of Object.entries(engine.stats?.() ?? {})) {
      expect([name, Number.isFinite(value)]).toEqual([name, true])
    }
  })
}
