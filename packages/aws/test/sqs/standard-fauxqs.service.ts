import { systemClock } from '@eddy/embedded'
import { queueContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll } from 'vitest'
import { type Emulator, startFauxqs } from '../support/emulators.ts'
import { type QueueWorld, queueFixture, startQueueWorld } from '../support/queue-world.ts'

let emulator: Emulator
let world: QueueWorld

beforeAll(async () => {
  emulator = await startFauxqs()
  world = await startQueueWorld(emulator.endpoint, systemClock)
})

afterAll(async () => {
  await world?.close()
  await emulator?.stop()
})

/** A service or an emulator that departs from the port, and how. */
const departures = {
  'due messages come oldest due time first; a later message may overtake': 'SQS counts whole seconds',
  'every accepted message is delivered, with the body it was sent with':
    'fauxqs takes no characters beyond U+FFFF, which SQS does',
}
queueContract('SQS standard queues, on fauxqs', () => queueFixture(world, systemClock), {
  departures,
  leaveOut: ['groups'],
})
