import { checkResources } from '@eddy/aws/resources'
import { type AppDefinition, InvalidOptionError } from '@eddy/core'
import type { RemovalPolicy } from 'aws-cdk-lib'
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { AppDescription } from '../app/app-description.ts'
import type { AlarmOptions } from '../watch/alarm-options.ts'
import type { WorkerOptions } from '../worker/worker-options.ts'
import { checkSubscriptionOptions, type SubscriptionOptions } from './subscription-options.ts'

export interface EddyAppProps {
  /** The application file, TypeScript or JavaScript: what `eddy start` runs. */
  readonly entry: string
  /** Begins the names of everything that is made: 1 to 32 characters of `a-z0-9-`, a letter first. */
  readonly name: string
  /** The application, when it is loaded already; default: `entry` is loaded, in a process of its own. */
  readonly app?: AppDefinition
  /** Kinesis streams that are there already, by the application's own names. They are neither made nor changed. */
  readonly streams?: Readonly<Record<string, string>>
  /** By the names of subscriptions. */
  readonly subscriptions?: Readonly<Record<string, SubscriptionOptions>>
  /** Ingest and the admin API; default `function-url`. */
  readonly http?: 'function-url' | 'http-api' | 'none'
  /**
   * Who may call it. `iam` (default): whoever signs with rights to it. `token`: whoever has the token, which a secret of
   * Secrets Manager holds; the `eddy` command can then be used with it. Its address is open to the internet.
   */
  readonly httpAuth?: 'iam' | 'token'
  /** Run every subscription in long-running processes on Fargate, instead of functions. Needs `vpc`. */
  readonly worker?: WorkerOptions
  /** Encrypts everything that is made; default: the services' own keys. Its policy must allow CloudWatch and EventBridge. */
  readonly encryptionKey?: IKey
  /** Functions and workers run in it; default: functions run in none. */
  readonly vpc?: IVpc
  readonly vpcSubnets?: SubnetSelection
  readonly securityGroups?: ISecurityGroup[]
  /** Endpoints in `vpc` for each service that is used, so that nothing leaves it; default false. */
  readonly vpcEndpoints?: boolean
  /** Thresholds; `false`: none are made. */
  readonly alarms?: AlarmOptions | false
  /** Where alarms and notices go; default: a topic is made. */
  readonly topic?: ITopic
  /** Default true. */
  readonly dashboard?: boolean
  /**
   * Make mappings by a custom resource, which waits and tries again when the service refuses with LimitExceeded, for up
   * to 14 minutes; default false: CloudFormation makes them, one after another on each stream.
   */
  readonly patientMappings?: boolean
  /** The AWS SDK of functions; default `bundled`, the one that is installed beside the application. */
  readonly sdk?: 'bundled' | 'runtime'
  /** Of all functions and workers. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default one month. */
  readonly logRetention?: RetentionDays
  /** Of what holds data; default RETAIN: removing the stack keeps streams, table, bucket, queues. */
  readonly removalPolicy?: RemovalPolicy
}

/** @throws InvalidOptionError that names the option */
export function checkProps(app: AppDescription, props: EddyAppProps): void {
  checkResources({ name: props.name, bucket: 'made' }, 'EddyApp')
  for (const name of Object.keys(props.streams ?? {})) {
    if (app.streams.some((stream) => stream.name === name)) continue
    const known = app.streams.map((stream) => stream.name).join(', ')
    throw new InvalidOptionError('streams', `names of the application's streams (${known})`, name)
  }
  checkSubscriptionOptions(app, props.subscriptions ?? {})
  const needsVpc = props.worker !== undefined || props.vpcEndpoints === true
  if (needsVpc && props.vpc === undefined) {
    const option = props.worker === undefined ? 'vpcEndpoints' : 'worker'
    throw new InvalidOptionError('vpc', `the network that ${option} is about`, undefined)
  }
  if (props.httpAuth !== undefined && props.httpAuth !== 'iam' && props.httpAuth !== 'token')
    throw new InvalidOptionError('httpAuth', "'iam' or 'token'", props.httpAuth)
  if (props.http === 'none' || props.http === 'http-api' || props.http === 'function-url') return
  if (props.http !== undefined)
    throw new InvalidOptionError('http', "'function-url', 'http-api' or 'none'", props.http)
}
