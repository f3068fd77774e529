import { invalidAttribute } from '../sqs-errors.ts'

const MINUTE_S = 60
const DAY_S = 24 * 60 * MINUTE_S

interface WholeRule {
  readonly kind: 'whole'
  readonly min: number
  readonly max: number
  readonly default: number
}

interface ChoiceRule {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly default: string
  readonly fifoOnly: boolean
}

/** Text that a queue need not have: empty takes it away. */
interface TextRule {
  readonly kind: 'text'
}

export type AttributeRule = WholeRule | ChoiceRule | TextRule

type WholeAttribute =
  | 'DelaySeconds'
  | 'MaximumMessageSize'
  | 'MessageRetentionPeriod'
  | 'ReceiveMessageWaitTimeSeconds'
  | 'VisibilityTimeout'
  | 'KmsDataKeyReusePeriodSeconds'
type ChoiceAttribute =
  | 'ContentBasedDeduplication'
  | 'DeduplicationScope'
  | 'FifoThroughputLimit'
  | 'SqsManagedSseEnabled'
type TextAttribute = 'KmsMasterKeyId' | 'RedrivePolicy' | 'RedriveAllowPolicy'

const whole = (min: number, max: number, standard: number): WholeRule => ({
  kind: 'whole',
  min,
  max,
  default: standard,
})
const fifoChoice = (...choices: readonly [string, ...string[]]): ChoiceRule => ({
  kind: 'choice',
  choices,
  default: choices[0],
  fifoOnly: true,
})

/** What a client may set, with the service's ranges (SQS documentation of SetQueueAttributes, 2026). */
export const ATTRIBUTE_RULES: Readonly<
  Record<WholeAttribute, WholeRule> & Record<ChoiceAttribute, ChoiceRule> & Record<TextAttribute, TextRule>
> = {
  DelaySeconds: whole(0, 900, 0),
  MaximumMessageSize: whole(1_024, 1_048_576, 1_048_576),
  MessageRetentionPeriod: whole(MINUTE_S, 14 * DAY_S, 4 * DAY_S),
  ReceiveMessageWaitTimeSeconds: whole(0, 20, 0),
  VisibilityTimeout: whole(0, 43_200, 30),
  KmsDataKeyReusePeriodSeconds: whole(MINUTE_S, DAY_S, 300),
  ContentBasedDeduplication: fifoChoice('false', 'true'),
  DeduplicationScope: fifoChoice('queue', 'messageGroup'),
  FifoThroughputLimit: fifoChoice('perQueue', 'perMessageGroupId'),
  SqsManagedSseEnabled: { kind: 'choice', choices: ['true', 'false'], default: 'true', fifoOnly: false },
  KmsMasterKeyId: { kind: 'text' },
  RedrivePolicy: { kind: 'text' },
  RedriveAllowPolicy: { kind: 'text' },
}

export type SettableAttribute = WholeAttribute | ChoiceAttribute | TextAttribute

export function isSettable(name: string): name is SettableAttribute {
  return Object.hasOwn(ATTRIBUTE_RULES, name)
}

type Attributes = { readonly [name: string]: string }

/** A queue's value of an attribute that is a number, or the default. */
export function wholeAttribute(attributes: Attributes, name: WholeAttribute): number {
  const value = attributes[name]
  return value === undefined ? ATTRIBUTE_RULES[name].default : Number(value)
}

/** @throws AwsError if the value is none that the rule allows */
export function checkAttribute(name: SettableAttribute, value: string): void {
  const rule: AttributeRule = ATTRIBUTE_RULES[name]
  switch (rule.kind) {
    case 'whole': {
      const number = Number(value)
      if (!/^\d{1,9}$/.test(value) || number < rule.min || number > rule.max) throw invalidAttribute(name)
      return
    }
    case 'choice':
      if (!rule.choices.includes(value)) throw invalidAttribute(name)
      return
    case 'text':
      return
  }
}
