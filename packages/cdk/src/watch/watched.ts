import type { CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import type { AppDescription } from '../app/app-description.ts'
import type { AppFunctions } from '../functions/app-functions.ts'
import type { ApplicationQueues } from '../resources/application-queues.ts'
import type { EventStreams } from '../resources/event-streams.ts'

/** What alarms and the dashboard look at. */
export interface Watched {
  readonly name: string
  readonly app: AppDescription
  readonly functions: AppFunctions | undefined
  readonly queues: ApplicationQueues
  readonly streams: EventStreams
  readonly table: CfnTable
}
