import type { Clock } from '@eddy/core'
import { openAwsEndpoint } from '@eddy/server/aws'
import { SimWorld } from '@eddy/testing'

/** Eddy's own SQS, in memory, on this clock. */
export async function startEddyEndpoint(
  clock: Clock,
): Promise<{ readonly endpoint: string; stop(): Promise<void> }> {
  const engine = { ...new SimWorld({ seed: 1 }).boot(), clock }
  const server = await openAwsEndpoint({
    ...{ engine, limits: 'off', instant: true, host: '127.0.0.1', port: 0, region: 'us-east-1' },
  })
  return { endpoint: server.url, stop: () => server.close() }
}
