/** What the custom resource asks of AWS Lambda; errors carry the service's names. */
export interface MappingService {
  /** UUIDs of the mappings between the two. */
  find(functionName: string, sourceArn: string): Promise<string | undefined>
  create(mapping: Mapping): Promise<string>
  update(uuid: string, mapping: Mapping): Promise<void>
  remove(uuid: string): Promise<void>
  /** Undefined: there is none. */
  state(uuid: string): Promise<string | undefined>
}

export interface Mapping {
  readonly FunctionName: string
  readonly EventSourceArn: string
  readonly [option: string]: unknown
}

/** What CloudFormation sends. */
export interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete'
  readonly ResponseURL: string
  readonly StackId: string
  readonly RequestId: string
  readonly LogicalResourceId: string
  readonly PhysicalResourceId?: string
  readonly ResourceProperties: { readonly Mapping: string }
  readonly OldResourceProperties?: { readonly Mapping: string }
}

export interface Patience {
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
  /** Of this invocation. */
  readonly remainingMs: () => number
}

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** Kept to tell CloudFormation how it ended. */
const LAST_WORDS_MS = 15_000
/** Id of a mapping that was never made. */
const NONE = 'none'

/** Errors that pass: a limit that others use up, a change that is under way, a role that is not known everywhere yet. */
const PASSING = new Set([
  'LimitExceededException',
  'ResourceConflictException',
  'ResourceInUseException',
  'ServiceException',
  'ThrottlingException',
  'TooManyRequestsException',
])

/**
 * Does what CloudFormation asks for a mapping, and waits until the service has done it. Repeating it is harmless: a
 * mapping that is there already is taken over.
 *
 * @returns the mapping's UUID
 * @throws what the service says in the end, or that time ran out, with what it said last
 */
export async function applyMapping(
  service: MappingService,
  event: ResourceEvent,
  patience: Patience,
): Promise<string> {
  const { PhysicalResourceId: present, RequestType } = event
  const mapping = JSON.parse(event.ResourceProperties.Mapping) as Mapping
  if (RequestType === 'Delete') {
    if (present !== undefined && present !== NONE) await remove(service, present, patience)
    return present ?? NONE
  }
  const old = event.OldResourceProperties
  const isSame = old !== undefined && isBetweenTheSame(JSON.parse(old.Mapping) as Mapping, mapping)
  const uuid = await patiently(patience, async () => {
    const found =
      RequestType === 'Update' && isSame && present !== undefined
        ? present
        : await service.find(mapping.FunctionName, mapping.EventSourceArn)
    if (found === undefined) return await service.create(mapping)
    await service.update(found, mapping)
    return found
  })
  await settled(service, uuid, patience)
  return uuid
}

/** What CloudFormation is told. */
export function answerTo(
  event: ResourceEvent,
  outcome: { readonly uuid: string } | { readonly error: unknown },
): Readonly<Record<string, unknown>> {
  const { LogicalResourceId, RequestId, StackId } = event
  const common = { LogicalResourceId, RequestId, StackId }
  if ('uuid' in outcome) return { ...common, Status: 'SUCCESS', PhysicalResourceId: outcome.uuid }
  const { error } = outcome
  return {
    ...common,
    Status: 'FAILED',
    Reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    PhysicalResourceId: event.PhysicalResourceId ?? NONE,
  }
}

async function remove(service: MappingService, uuid: string, patience: Patience): Promise<void> {
  await patiently(patience, async () => {
    if ((await service.state(uuid)) !== undefined) await service.remove(uuid)
  })
  await patiently(patience, async () => {
    if ((await service.state(uuid)) !== undefined) throw passing(`mapping ${uuid} is not removed yet`)
  })
}

/** Until no change of it is under way: the next mapping on the stream may then begin. */
async function settled(service: MappingService, uuid: string, patience: Patience): Promise<void> {
  await patiently(patience, async () => {
    const state = await service.state(uuid)
    if (state !== undefined && /ing$/.test(state)) throw passing(`mapping ${uuid} is still ${state}`)
  })
}

async function patiently<T>({ random, remainingMs, sleep }: Patience, attempt: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Error) || !isPassing(error)) throw error
      const restMs = waitMs / 2 + (random() * waitMs) / 2
      if (remainingMs() < restMs + LAST_WORDS_MS) {
        throw new Error(`out of time. The last answer: ${error.name}: ${error.message}. Deploy again`)
      }
      await sleep(restMs)
    }
  }
}

function isPassing({ name, message }: Error): boolean {
  if (PASSING.has(name)) return true
  // A role that was made a moment ago is not known everywhere.
  return name === 'InvalidParameterValueException' && /role|assumed|permission/i.test(message)
}

function passing(message: string): Error {
  return Object.assign(new Error(message), { name: 'ServiceException' })
}

function isBetweenTheSame(one: Mapping, other: Mapping): boolean {
  return one.FunctionName === other.FunctionName && one.EventSourceArn === other.EventSourceArn
}
