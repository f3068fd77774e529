import { partitionWidth } from '@eddy/core'
import { expect, test } from 'vitest'
import { KEYS, Workers } from '../support/workers.ts'

const IDLE_S = 60

test('what an idle engine asks of DynamoDB is what docs/guides/workers.md says', async () => {
  const workers = new Workers({ shards: 8, subscriptions: ['b', 'c', 'd', 'e'] })
  await workers.start('one')
  await workers.start('two')
  await workers.append(KEYS)
  await workers.advance(30_000)
  const asked = { leases: 0, waiting: 0, together: 0, puts: 0, others: 0 }
  workers.world.onCall = ({ op, args }) => {
    if (!op.startsWith('table.')) return
    const { partition = '' } = args[0] as { readonly partition?: string }
    if (op === 'table.put') asked.puts += 1
    else if (op === 'table.getMany') asked.together += 1
    else if (op === 'table.query' && partition === 'lease') asked.leases += 1
    // One query in each partition of DynamoDB.
    else if (op === 'table.query' && partitionWidth(partition) > 1) asked.waiting += partitionWidth(partition)
    else asked.others += 1
  }
  await workers.advance(IDLE_S * 1_000)
  const aSecond = Object.fromEntries(
    Object.entries(asked).map(([what, calls]) => [what, Math.round(calls / IDLE_S)]),
  )
  expect(aSecond).toEqual({ leases: 2, waiting: 40, together: 10, puts: 4, others: 0 })
})
