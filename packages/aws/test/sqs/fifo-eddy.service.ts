import { systemClock } from '@eddy/embedded'
import { queueContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll } from 'vitest'
import { startEddyEndpoint } from '../support/eddy-endpoint.ts'
import { type QueueWorld, queueFixture, startQueueWorld } from '../support/queue-world.ts'

let service: Awaited<ReturnType<typeof startEddyEndpoint>>
let world: QueueWorld

beforeAll(async () => {
  service = await startEddyEndpoint(systemClock)
  world = await startQueueWorld(service.endpoint, systemClock)
})

afterAll(async () => {
  await world?.close()
  await service?.stop()
})

/** A service or an emulator that departs from the port, and how. */
const departures = {
  'due messages come oldest due time first; a later message may overtake': 'SQS counts whole seconds',
}
queueContract(
  'SQS fifo queues, on the endpoint of Eddy',
  () => queueFixture(world, systemClock, { isFifo: () => true }),
  { departures },
)
