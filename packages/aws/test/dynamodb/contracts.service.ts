import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '@eddy/core'
import { systemClock } from '@eddy/embedded'
import { SimWorld } from '@eddy/testing'
import { tableContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll } from 'vitest'
import { DynamoDbTable } from '../../src/dynamodb/index.ts'
import { type Dynalite, startDynalite } from '../support/dynalite.ts'

let service: Dynalite

beforeAll(async () => {
  service = await startDynalite()
})

afterAll(async () => {
  await service.close()
})

// A refused write comes back with what stands there; dynalite 4 leaves it out, so it is read.
tableContract('DynamoDB, on dynalite', () => fixture())
// Every partition as wide as the widest of core, so that each query is merged.
tableContract('DynamoDB with wide partitions, on dynalite', () => fixture(() => 16))

async function fixture(widthOf?: (partition: string) => number) {
  const tableName = await service.createTable()
  // The other ports of this engine are those of the simulation: only the table is under test.
  const world = new SimWorld({ seed: 1 })
  const { blobs } = world.boot()
  const open = (): Engine => {
    const table = new DynamoDbTable({
      client: service.client,
      tableName,
      clock: systemClock,
      blobs,
      ...(widthOf !== undefined && { widthOf }),
    })
    return { ...world.boot(), table, clock: systemClock }
  }
  return {
    engine: open(),
    advance: (ms: number) => sleep(ms),
    reopen: async () => open(),
    close: async () => {},
  }
}
