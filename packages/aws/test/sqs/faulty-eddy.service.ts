import { systemClock } from '@eddy/embedded'
import { queueContract } from '@eddy/testing/contracts'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startEddyEndpoint } from '../support/eddy-endpoint.ts'
import { type QueueWorld, queueFixture, startQueueWorld } from '../support/queue-world.ts'

/** Of a hundred requests so many never arrive, and so many are made and never answered. */
const NOT_SENT = 5
const NOT_ANSWERED = 5
let service: Awaited<ReturnType<typeof startEddyEndpoint>>
let world: QueueWorld
let requests = 0

beforeAll(async () => {
  service = await startEddyEndpoint(systemClock)
  world = await startQueueWorld(service.endpoint, systemClock)
  world.sqs.middlewareStack.add(
    (next) => async (args) => {
      requests += 1
      // No chance: a request's number says what becomes of it, spread over all of them.
      const fate = (requests * 37) % 100
      if (fate < NOT_SENT) throw connectionReset()
      const answer = await next(args)
      if (fate < NOT_SENT + NOT_ANSWERED) throw connectionReset()
      return answer
    },
    { step: 'finalizeRequest' },
  )
})

beforeEach(() => {
  requests = 0
})

afterAll(async () => {
  await world?.close()
  await service?.stop()
})

function connectionReset(): Error {
  return Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' })
}

queueContract('SQS standard queues over a bad connection', () => queueFixture(world, systemClock), {
  faulty: true,
  leaveOut: ['groups'],
})
queueContract(
  'SQS FIFO queues over a bad connection',
  () => queueFixture(world, systemClock, { isFifo: () => true }),
  { faulty: true },
)
