import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssetHashType, Aws, DockerImage, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { buildSync } from 'esbuild'
import type { Grant } from '../roles/grant.ts'
import { logGrants } from '../roles/logs-grants.ts'
import { serviceRole } from '../roles/service-role.ts'

/** The longest that a function lives: how long it waits for others to use less of a limit. */
const TIMEOUT = Duration.minutes(15)
/** Beside this file, in TypeScript or built. */
const HANDLER = ['patient-handler.ts', 'patient-handler.js']
  .map((name) => fileURLToPath(new URL(name, import.meta.url)))
  .find((file) => existsSync(file)) as string

/** Makes event source mappings of Lambda, and tries again for as long as a limit is used up. */
export class PatientFunction extends Construct {
  readonly arn: string

  constructor(scope: Construct, id: string, { logRetention }: { logRetention: RetentionDays }) {
    super(scope, id)
    const logGroup = new LogGroup(this, 'Logs', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const { functionArn } = new LambdaFunction(this, 'Function', {
      code: Code.fromAsset(dirname(HANDLER), {
        assetHashType: AssetHashType.OUTPUT,
        bundling: {
          image: DockerImage.fromRegistry('none'),
          local: { tryBundle: bundle },
        },
      }),
      handler: 'index.handler',
      description: 'Makes event source mappings, patiently',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: TIMEOUT,
      logGroup,
      role: serviceRole(this, 'Role', {
        assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
        description: 'Makes event source mappings, patiently',
        grants: [...mappingGrants(), ...logGrants(logGroup.logGroupArn)],
      }),
    })
    this.arn = functionArn
  }
}

function mappingGrants(): readonly Grant[] {
  return [
    {
      service: 'lambda',
      actions: ['CreateEventSourceMapping', 'ListEventSourceMappings'],
      resources: ['*'],
      wildcard: 'AWS takes no resource for making and listing mappings',
    },
    {
      service: 'lambda',
      actions: ['DeleteEventSourceMapping', 'GetEventSourceMapping', 'UpdateEventSourceMapping'],
      resources: [`arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:event-source-mapping:*`],
      wildcard: 'Lambda names a mapping only when it makes it',
    },
  ]
}

function bundle(outDir: string): boolean {
  buildSync({
    entryPoints: [HANDLER],
    outfile: `${outDir}/index.mjs`,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Lambda brings it.
    external: ['@aws-sdk/*'],
    logLevel: 'silent',
  })
  return true
}
