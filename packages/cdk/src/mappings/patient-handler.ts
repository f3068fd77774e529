import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import {
  answerTo,
  applyMapping,
  type Mapping,
  type MappingService,
  type ResourceEvent,
} from './patient-mapping.ts'

/** What may be given when a mapping is made, and not changed later. */
const FIXED = ['EventSourceArn', 'StartingPosition', 'StartingPositionTimestamp'] as const

/** The function behind the custom resource. Lambda brings its SDK. */
export async function handler(
  event: ResourceEvent,
  { getRemainingTimeInMillis }: { getRemainingTimeInMillis(): number },
): Promise<void> {
  const service = lambdaMappings(new LambdaClient())
  const patience = { sleep, random: Math.random, remainingMs: () => getRemainingTimeInMillis() }
  const outcome = await applyMapping(service, event, patience).then(
    (uuid) => ({ uuid }),
    (error: unknown) => ({ error }),
  )
  const response = await fetch(event.ResponseURL, {
    method: 'PUT',
    body: JSON.stringify(answerTo(event, outcome)),
  })
  if (!response.ok) throw new Error(`CloudFormation answered ${response.status}`)
}

/** The SDK's calls. */
export function lambdaMappings(client: Pick<LambdaClient, 'send'>): MappingService {
  return {
    find: async (FunctionName, EventSourceArn) => {
      const { EventSourceMappings = [] } = await client.send(
        new ListEventSourceMappingsCommand({ FunctionName, EventSourceArn }),
      )
      return EventSourceMappings[0]?.UUID
    },
    create: async (mapping) => {
      const { UUID } = await client.send(new CreateEventSourceMappingCommand(inputOf(mapping)))
      return UUID as string
    },
    update: async (UUID, mapping) => {
      const changeable = Object.entries(inputOf(mapping)).filter(
        ([name]) => !FIXED.some((one) => one === name),
      )
      await client.send(new UpdateEventSourceMappingCommand({ ...Object.fromEntries(changeable), UUID }))
    },
    remove: async (UUID) => {
      await client.send(new DeleteEventSourceMappingCommand({ UUID }))
    },
    state: async (UUID) => {
      try {
        return (await client.send(new GetEventSourceMappingCommand({ UUID }))).State
      } catch (error) {
        if ((error as Error).name === 'ResourceNotFoundException') return undefined
        throw error
      }
    },
  }
}

function inputOf(mapping: Mapping): CreateEventSourceMappingCommandInput {
  const { StartingPositionTimestamp: seconds } = mapping
  return {
    ...mapping,
    ...(typeof seconds === 'number' && { StartingPositionTimestamp: new Date(seconds * 1_000) }),
  }
}
