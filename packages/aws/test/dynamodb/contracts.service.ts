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
tableContract('DynamoDB, on dynalite', async () => {
  const tableName = await service.createTable()
  // The other ports of this engine are those of the simulation: only the table is under test.
  const world = new SimWorld({ seed: 1 })
  const { blobs } = world.boot()
  const open = (): Engine => {
    const table = new DynamoDbTable({ client: service.client, tableName, clock: systemClock, blobs })
    return { ...world.boot(), table, clock: systemClock }
  }
  return {
    engine: open(),
    advance: (ms) => sleep(ms),
    reopen: async () => open(),
    close: async () => {},
  }
})
