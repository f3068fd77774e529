import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Architecture, type Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Grant } from '../roles/grant.ts'
import { logGrants } from '../roles/logs-grants.ts'
import { serviceRole } from '../roles/service-role.ts'

/** What all functions of an application have in common. */
export interface FunctionDefaults {
  readonly code: Code
  readonly environment: Readonly<Record<string, string>>
  readonly logRetention: RetentionDays
  readonly key: IKey | undefined
  readonly vpc: IVpc | undefined
  readonly vpcSubnets: SubnetSelection | undefined
  readonly securityGroups: ISecurityGroup[] | undefined
}

export interface FunctionOptions {
  /** The export of the bundle. */
  readonly handler: 'http' | 'kinesis' | 'queue' | 'rescue' | 'retry' | 'sns' | 'sweep'
  readonly description: string
  readonly timeoutSeconds: number
  readonly memoryMiB: number
  readonly environment?: Readonly<Record<string, string>>
  readonly reservedConcurrency?: number | undefined
  readonly grants: readonly Grant[]
}

/** A function on Node 24 and ARM, with a log group and a role of its own. */
export class EddyFunction extends Construct {
  readonly function: LambdaFunction
  readonly timeoutSeconds: number

  constructor(scope: Construct, id: string, defaults: FunctionDefaults, options: FunctionOptions) {
    super(scope, id)
    const { code, key, vpc, vpcSubnets, securityGroups } = defaults
    const { description, handler, memoryMiB, reservedConcurrency, timeoutSeconds } = options
    const logGroup = new LogGroup(this, 'Logs', {
      retention: defaults.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = serviceRole(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description,
      grants: [...options.grants, ...logGrants(logGroup.logGroupArn)],
    })
    this.timeoutSeconds = timeoutSeconds
    this.function = new LambdaFunction(this, 'Function', {
      code,
      handler: `index.${handler}`,
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memoryMiB,
      timeout: Duration.seconds(timeoutSeconds),
      role,
      logGroup,
      environment: {
        ...defaults.environment,
        ...options.environment,
        // Stacks in the ledger name the lines that the author wrote.
        NODE_OPTIONS: '--enable-source-maps',
      },
      ...(key !== undefined && { environmentEncryption: key }),
      ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
      ...(vpc !== undefined && { vpc }),
      ...(vpc !== undefined && vpcSubnets !== undefined && { vpcSubnets }),
      ...(vpc !== undefined && securityGroups !== undefined && { securityGroups }),
    })
  }
}
