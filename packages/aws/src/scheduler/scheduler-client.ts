import { SchedulerClient, type SchedulerClientConfig } from '@aws-sdk/client-scheduler'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export interface SchedulerClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: SchedulerClientConfig['credentials']
}

const CONNECT_MS = 5_000
const SILENCE_MS = 10_000

/** A client of EventBridge Scheduler that fits `Schedules`: it sends every request once, and gives up on one without an answer. */
export function schedulerClient({
  endpoint,
  region,
  credentials,
}: SchedulerClientOptions = {}): SchedulerClient {
  return knowingCredentials(
    new SchedulerClient({
      maxAttempts: 1,
      retryMode: 'standard',
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && { credentials }),
    }),
  )
}
