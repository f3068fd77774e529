import { SchedulerClient, type SchedulerClientConfig } from '@aws-sdk/client-scheduler'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export type SchedulerClientOptions = ClientOptions<NonNullable<SchedulerClientConfig['credentials']>>

const CONNECT_MS = 5_000
const SILENCE_MS = 10_000

/** A client of EventBridge Scheduler that fits `Schedules`: it sends every request once, and gives up on one without an answer. */
export function schedulerClient(options: SchedulerClientOptions = {}): SchedulerClient {
  return knowingCredentials(
    new SchedulerClient({
      ...sentOnce(options),
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    }),
  )
}
