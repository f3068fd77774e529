import { invalidValue } from '../sqs-errors.ts'

const MAX_RECEIVES = 1_000
const MAX_SOURCES = 10

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string
  /** 1 to 1,000. */
  readonly maxReceiveCount: number
}

/** What `RedrivePolicy` says; undefined: none. @throws AwsError if it is not well formed */
export function parseRedrivePolicy(text: string | undefined): RedrivePolicy | undefined {
  if (text === undefined || text === '') return undefined
  const wrong = (reason: string) => invalidValue(text, 'RedrivePolicy', reason)
  const policy = parseObject(text)
  if (policy === undefined) throw wrong('Redrive policy is not a valid JSON map.')
  const { deadLetterTargetArn, maxReceiveCount } = policy
  if (typeof deadLetterTargetArn !== 'string') {
    throw wrong('Redrive policy does not contain mandatory attribute: deadLetterTargetArn.')
  }
  if (maxReceiveCount === undefined) {
    throw wrong('Redrive policy does not contain mandatory attribute: maxReceiveCount.')
  }
  const count =
    typeof maxReceiveCount === 'string' && /^\d+$/.test(maxReceiveCount)
      ? Number(maxReceiveCount)
      : maxReceiveCount
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_RECEIVES) {
    throw wrong(
      `Invalid value for maxReceiveCount: ${String(maxReceiveCount)}, valid values are from 1 to 1000 both inclusive.`,
    )
  }
  return { deadLetterTargetArn, maxReceiveCount: count }
}

export type RedriveAllowPolicy =
  | { readonly redrivePermission: 'allowAll' | 'denyAll' }
  | { readonly redrivePermission: 'byQueue'; readonly sourceQueueArns: readonly string[] }

const ALLOW_ALL: RedriveAllowPolicy = { redrivePermission: 'allowAll' }

/** What `RedriveAllowPolicy` says. @throws AwsError if it is not well formed */
export function parseRedriveAllowPolicy(text: string | undefined): RedriveAllowPolicy {
  if (text === undefined || text === '') return ALLOW_ALL
  const wrong = (reason: string) => invalidValue(text, 'RedriveAllowPolicy', reason)
  const policy = parseObject(text)
  if (policy === undefined) throw wrong('RedriveAllowPolicy is not a valid JSON map.')
  const { redrivePermission, sourceQueueArns } = policy
  if (redrivePermission === 'byQueue') {
    const arns = Array.isArray(sourceQueueArns)
      ? sourceQueueArns.filter((arn) => typeof arn === 'string')
      : []
    if (
      arns.length === 0 ||
      arns.length > MAX_SOURCES ||
      arns.length !== (sourceQueueArns as unknown[]).length
    ) {
      throw wrong('byQueue needs sourceQueueArns, from 1 to 10 ARNs of queues.')
    }
    return { redrivePermission, sourceQueueArns: arns }
  }
  if (redrivePermission !== 'allowAll' && redrivePermission !== 'denyAll') {
    throw wrong('redrivePermission must be allowAll, denyAll or byQueue.')
  }
  if (sourceQueueArns !== undefined) throw wrong('sourceQueueArns is only allowed with byQueue.')
  return { redrivePermission }
}

export function allowsSource(policy: RedriveAllowPolicy, sourceArn: string): boolean {
  if (policy.redrivePermission === 'byQueue') return policy.sourceQueueArns.includes(sourceArn)
  return policy.redrivePermission === 'allowAll'
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
