import { defineApp, queue, subscribe } from '@eddy/core'
import { Match } from 'aws-cdk-lib/assertions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import { allOptions } from '../support/all-options.ts'
import { type Resource, resourcesOf, type Synthesized, synthesized } from '../support/synthesized.ts'

const functionsOf = (one: Synthesized): (Resource['Properties'] & { readonly id: string })[] =>
  [...resourcesOf(one, 'AWS::Lambda::Function')].map(([id, { Properties }]) => ({ ...Properties, id }))
const named = (one: Synthesized, part: string) => functionsOf(one).find(({ id }) => id.includes(part))

const shop = synthesized()

describe('Functions', () => {
  it('are two a subscription, and one each for what serves them all', () => {
    const handlers = functionsOf(shop).map(({ Handler }) => Handler as string)
    expect(handlers.sort()).toEqual([
      'index.http',
      ...Array.from({ length: 3 }, () => 'index.kinesis'),
      'index.queue',
      'index.rescue',
      ...Array.from({ length: 4 }, () => 'index.retry'),
      'index.sweep',
    ])
  })

  it('run on Node 24 and ARM, from one bundle, and know where everything is', () => {
    const codes = new Set<string>()
    for (const { Architectures, Code, Environment, Runtime } of functionsOf(shop)) {
      expect([Runtime, Architectures]).toEqual(['nodejs24.x', ['arm64']])
      expect(Environment).toMatchObject({
        Variables: {
          EDDY_NAME: 'shop',
          EDDY_BUCKET: { Ref: expect.stringMatching(/Bucket/) },
          EDDY_SCHEDULER_ROLE_ARN: { 'Fn::GetAtt': [expect.stringMatching(/SchedulesRole/), 'Arn'] },
          EDDY_DEAD_SCHEDULES_ARN: { 'Fn::GetAtt': [expect.stringMatching(/deadschedules/), 'Arn'] },
          EDDY_TOPIC_ARN: { Ref: expect.stringMatching(/Topic/) },
          // Nine tenths of the seven days of clicks: the longest of all.
          EDDY_MAX_RECORD_AGE_MS: '544320000',
        },
      })
      codes.add(JSON.stringify(Code))
    }
    expect(codes.size).toBe(1)
  })

  it('serve the subscription that they are told', () => {
    for (const name of ['charge', 'ledger', 'count', 'mail'])
      for (const kind of ['Live', 'Retry'])
        expect(named(shop, `Subscriptions${name}${kind}`)?.Environment).toMatchObject({
          Variables: { EDDY_SUBSCRIPTION: name },
        })
  })

  it('have the memory, the time and the variables of their subscription', () => {
    const own = synthesized({
      environment: { LEVEL: 'info' },
      subscriptions: {
        charge: {
          memoryMiB: 1_024,
          timeoutSeconds: 300,
          reservedConcurrency: 5,
          environment: { BANK: 'test' },
        },
      },
    })
    expect(named(own, 'chargeLive')).toMatchObject({
      MemorySize: 1_024,
      Timeout: 300,
      ReservedConcurrentExecutions: 5,
      Environment: { Variables: { BANK: 'test', LEVEL: 'info' } },
    })
    expect(named(own, 'mailLive')).toMatchObject({ MemorySize: 512, Timeout: 60 })
  })
})

describe('The rescue', () => {
  it('gets each failed batch as S3 would tell it, again for a day, and then a queue keeps it', () => {
    shop.template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { object: { key: [{ prefix: 'aws/lambda/' }] } },
      },
      Targets: [
        Match.objectLike({
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('deadinvocations'), 'Arn'] } },
          InputTransformer: Match.objectLike({
            InputTemplate: Match.stringLikeRegexp('"eventSource":"aws:s3".*"bucket":.*"object":'),
          }),
        }),
      ],
    })
    shop.template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 2,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('deadinvocations'), 'Arn'] } },
      },
    })
  })

  it('gets what is left in the dead queue of a queue source', () => {
    shop.template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { 'Fn::GetAtt': [Match.stringLikeRegexp('Rescue'), 'Arn'] },
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('queueemailsDead'), 'Arn'] },
    })
  })

  it('is told whose functions read a stream that has several readers, or by a consumer', () => {
    const environment = named(shop, 'RescueHandler')?.Environment as
      | { Variables: { EDDY_FUNCTIONS: { 'Fn::Join': [string, unknown[]] } } }
      | undefined
    const [, parts = []] = environment?.Variables.EDDY_FUNCTIONS['Fn::Join'] ?? []
    const text = parts
      .map((part) => (typeof part === 'string' ? part : Object.values(part as object)[0]))
      .join('')
    const names = Object.entries(JSON.parse(text) as Record<string, string>)
    expect(names).toEqual([
      [expect.stringMatching(/chargeLive/), 'charge'],
      [expect.stringMatching(/ledgerLive/), 'ledger'],
      [expect.stringMatching(/countLive/), 'count'],
    ])
  })
})

describe('A topic', () => {
  const alarms = queue('alarms')
  const page = subscribe('page', alarms, { failure: { blocks: 'nothing' }, handle: () => undefined })
  const told = synthesized(
    (stack) => ({ subscriptions: { page: { topics: [new Topic(stack, 'Alarms')] } } }),
    defineApp({ subscriptions: [page] }),
  )

  it('is a source under the subscription of a queue, tried three times and then rescued', () => {
    expect(named(told, 'pageTopic')).toMatchObject({
      Handler: 'index.sns',
      Environment: { Variables: { EDDY_SUBSCRIPTION: 'page' } },
    })
    told.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'lambda',
      Endpoint: { 'Fn::GetAtt': [Match.stringLikeRegexp('pageTopic'), 'Arn'] },
    })
    told.template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('pageTopic') },
      MaximumRetryAttempts: 2,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('queuealarmsDead'), 'Arn'] } },
      },
    })
    expect(JSON.stringify(named(told, 'RescueHandler')?.Environment)).toMatch(/pageTopic.*\\":\\"page/)
  })

  it('passes cdk-nag but for the topic that is not ours', () => {
    const findings = new AwsSolutionsChecks()
      .validateScope(told.app)
      .violations.map(({ ruleName }) => ruleName)
    expect(findings).toEqual(['AwsSolutions-SNS3'])
  })
})

describe('The sweep', () => {
  it('runs each minute', () => {
    shop.template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' })
  })
})

describe('HTTP', () => {
  it('is a function URL that asks for a signature', () => {
    shop.template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' })
    expect(named(shop, 'HttpHandler')?.Environment).toMatchObject({ Variables: { EDDY_HTTP_AUTH: 'iam' } })
  })

  it('is an API that asks for a signature and logs who came, when that is wanted', () => {
    const { template } = synthesized({ http: 'http-api' })
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' })
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', { AccessLogSettings: Match.anyValue() })
    template.resourceCountIs('AWS::Lambda::Url', 0)
  })

  it('is open to who has the token, which only CloudFormation puts in its place', () => {
    const open = synthesized({ httpAuth: 'token' })
    open.template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' })
    const token = JSON.stringify(named(open, 'HttpHandler')?.Environment)
    expect(token).not.toContain('EDDY_HTTP_AUTH')
    expect(token).toMatch(/"EDDY_TOKEN":\{"Fn::Join":\["",\["\{\{resolve:secretsmanager:/)
    expect(JSON.stringify(named(open, 'chargeLive')?.Environment)).not.toContain('EDDY_TOKEN')
    const { template } = synthesized({ httpAuth: 'token', http: 'http-api' })
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'NONE' })
  })

  it('is left out when it is not wanted', () => {
    const none = synthesized({ http: 'none' })
    expect(named(none, 'Http')).toBeUndefined()
  })
})

describe('A network', () => {
  it('holds the functions, and endpoints that only they may call', () => {
    const inner = synthesized(allOptions)
    for (const { id, VpcConfig } of functionsOf(inner).filter((one) => one.id.includes('EddyFunctions')))
      if (!id.includes('Patient')) expect(VpcConfig).toMatchObject({ SubnetIds: expect.any(Array) })
    const endpoints = [...resourcesOf(inner, 'AWS::EC2::VPCEndpoint').values()].map(({ Properties }) =>
      JSON.stringify(Properties.ServiceName),
    )
    for (const service of ['kinesis-streams', 'sqs', 'sns', 'scheduler', 'logs', 'dynamodb', 's3'])
      expect(endpoints.some((name) => name.includes(`.${service}"`) || name.includes(`.${service}`))).toBe(
        true,
      )
    inner.template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      ToPort: 443,
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('EddyNetwork'), 'GroupId'] },
    })
  })
})
