import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib'
import { HttpApi, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { httpGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { EddyFunction, type FunctionDefaults } from './eddy-function.ts'

/** What API Gateway waits. */
const TIMEOUT_SECONDS = 29

/** Ingest and the admin API. Callers sign with IAM, whichever way leads here. */
export class HttpFunction extends Construct {
  readonly http: EddyFunction
  readonly url: string

  constructor(
    scope: Construct,
    id: string,
    { defaults, plan, way }: { defaults: FunctionDefaults; plan: RolePlan; way: 'function-url' | 'http-api' },
  ) {
    super(scope, id)
    this.http = new EddyFunction(this, 'Handler', defaults, {
      handler: 'http',
      description: 'Ingest and administration',
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: 512,
      grants: httpGrants(plan),
    })
    this.url = way === 'function-url' ? this.#functionUrl() : this.#httpApi(defaults)
    new CfnOutput(this, 'Url', { description: 'Ingest and administration, signed with IAM', value: this.url })
  }

  #functionUrl(): string {
    return this.http.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }).url
  }

  #httpApi({ logRetention }: FunctionDefaults): string {
    const logGroup = new LogGroup(this, 'Access', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const api = new HttpApi(this, 'Api', {
      description: 'Ingest and administration',
      defaultIntegration: new HttpLambdaIntegration('Handler', this.http.function),
      defaultAuthorizer: new HttpIamAuthorizer(),
      createDefaultStage: false,
    })
    const stage = api.addStage('Stage', {
      autoDeploy: true,
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup) },
    })
    return stage.url
  }
}
