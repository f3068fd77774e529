import {
  type EncodedRecord,
  type ProduceOptions,
  type ProduceReport,
  Producer,
  type ProducerLog,
} from '@eddy/core'
import type { VirtualClock } from '../../../src/clock/virtual-clock.ts'
import { md5Hex } from '../../../src/sim/store/stream-store.ts'

/** All records share it: what is stored is counted, not kept. */
const KIB = new Uint8Array(1_024)

export interface Writing {
  readonly log: ProducerLog
  readonly clock: VirtualClock
  readonly count: number
  readonly keyOf: (n: number) => string
  readonly data?: Uint8Array
  readonly options?: ProduceOptions<EncodedRecord>
}

/** One writer process: a producer of its own, which knows nothing of others. */
export async function writeRecords(writing: Writing): Promise<ProduceReport<EncodedRecord>> {
  const { log, clock, count, keyOf, data = KIB, options = {} } = writing
  const producer = new Producer({ log, clock, md5Hex })
  const source = function* (): Generator<EncodedRecord> {
    for (let n = 0; n < count; n += 1) yield { key: keyOf(n), data }
  }
  return await producer.produceItems('orders', source(), (record) => ({ ok: true, record }), options)
}
