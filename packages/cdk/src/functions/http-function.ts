import { CfnOutput, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { HttpApi, HttpNoneAuthorizer, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { httpGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { EddyFunction, type FunctionDefaults } from './eddy-function.ts'

/** A purge takes the minute that SQS asks for. API Gateway answers for itself after 30 seconds; the call goes on. */
const TIMEOUT_SECONDS = 120
const TOKEN_CHARACTERS = 48

export interface HttpFunctionOptions {
  readonly defaults: FunctionDefaults
  readonly plan: RolePlan
  readonly way: 'function-url' | 'http-api'
  readonly auth: 'iam' | 'token'
}

/** Ingest and the admin API. Callers sign with IAM, or bear the token. */
export class HttpFunction extends Construct {
  readonly http: EddyFunction
  readonly url: string
  /** Holds the token; undefined with IAM. */
  readonly token: Secret | undefined

  constructor(scope: Construct, id: string, { auth, defaults, plan, way }: HttpFunctionOptions) {
    super(scope, id)
    this.token = auth === 'token' ? this.#secret(defaults) : undefined
    this.http = new EddyFunction(this, 'Handler', defaults, {
      handler: 'http',
      description: 'Ingest and administration',
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: 512,
      grants: httpGrants(plan),
      environment:
        this.token === undefined
          ? { EDDY_HTTP_AUTH: 'iam' }
          : // A reference: CloudFormation puts the value there, so that no template ever has it.
            { EDDY_TOKEN: this.token.secretValue.unsafeUnwrap() },
    })
    this.url = way === 'function-url' ? this.#functionUrl(auth) : this.#httpApi(auth, defaults)
    new CfnOutput(this, 'Url', { description: 'Ingest and administration', value: this.url })
    if (this.token !== undefined)
      new CfnOutput(this, 'TokenSecret', { description: 'Its token', value: this.token.secretArn })
  }

  #secret({ key }: FunctionDefaults): Secret {
    const secret = new Secret(this, 'Token', {
      description: 'Token of ingest and administration',
      generateSecretString: { passwordLength: TOKEN_CHARACTERS, excludePunctuation: true },
      ...(key !== undefined && { encryptionKey: key }),
    })
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'the function has it from a deployment: another token comes with the next deployment, not by itself',
    })
    return secret
  }

  #functionUrl(auth: 'iam' | 'token'): string {
    const authType = auth === 'iam' ? FunctionUrlAuthType.AWS_IAM : FunctionUrlAuthType.NONE
    return this.http.function.addFunctionUrl({ authType }).url
  }

  #httpApi(auth: 'iam' | 'token', { logRetention }: FunctionDefaults): string {
    const logGroup = new LogGroup(this, 'Access', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const api = new HttpApi(this, 'Api', {
      description: 'Ingest and administration',
      defaultIntegration: new HttpLambdaIntegration('Handler', this.http.function),
      defaultAuthorizer: auth === 'iam' ? new HttpIamAuthorizer() : new HttpNoneAuthorizer(),
      createDefaultStage: false,
    })
    if (auth === 'token') {
      const reason = 'the function itself asks every caller for the token'
      Validations.of(api).acknowledge({ id: 'AwsSolutions-APIG4', reason })
    }
    const stage = api.addStage('Stage', {
      autoDeploy: true,
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup) },
    })
    return stage.url
  }
}
