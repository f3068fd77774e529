import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { METRIC_DIMENSIONS, METRIC_NAMES, METRIC_NAMESPACE } from '@eddy/aws/resources'
import { InvalidOptionError } from '@eddy/core'
import { Match } from 'aws-cdk-lib/assertions'
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import { describe, expect, it } from 'vitest'
import type { WorkerOptions } from '../../src/index.ts'
import { resourcesOf, type Synthesized, synthesized } from '../support/synthesized.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const IMAGE = ContainerImage.fromRegistry('registry.example/shop:1')

const withWorker = (worker: WorkerOptions, entry?: string): Synthesized =>
  synthesized((stack) => ({
    vpc: new Vpc(stack, 'Network', { maxAzs: 2 }) as IVpc,
    worker,
    ...(entry !== undefined && { entry }),
  }))

/** An npm project of an application. */
function project(dependencies: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'src'))
  mkdirSync(join(folder, 'node_modules'))
  writeFileSync(join(folder, 'node_modules', 'large.js'), '')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies }))
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'src', 'app.ts'), 'export default 1')
  return folder
}

describe('Workers', () => {
  it('run every subscription on ARM, two of them, instead of functions', () => {
    const { eddy, template } = withWorker({ image: IMAGE })
    expect(eddy.functions).toBeUndefined()
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 0)
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 2,
      LaunchType: 'FARGATE',
      DeploymentConfiguration: Match.objectLike({
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
      }),
    })
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      ContainerDefinitions: [
        Match.objectLike({
          Image: 'registry.example/shop:1',
          // Longer than the command waits to hand its shards over.
          StopTimeout: 120,
          Environment: Match.arrayWith([{ Name: 'EDDY_NAME', Value: 'shop' }]),
          HealthCheck: Match.objectLike({
            Command: ['CMD', 'node', '-e', Match.stringLikeRegexp('/healthz')],
          }),
        }),
      ],
    })
  })

  it('hide a message for six times as long as its handler may take', () => {
    const { template } = withWorker({ image: IMAGE })
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'shop-retry-charge',
      VisibilityTimeout: 180,
    })
  })

  it('are watched by what they tell themselves: no alarm and no graph waits for figures of functions', () => {
    const worker = withWorker({ image: IMAGE })
    const alarms = new Map(
      [...resourcesOf(worker, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => [
        Properties.AlarmName,
        Properties,
      ]),
    )
    const own = (MetricName: string, Threshold: number) => ({
      Namespace: METRIC_NAMESPACE,
      MetricName,
      Dimensions: [
        { Name: METRIC_DIMENSIONS[0], Value: 'shop' },
        { Name: METRIC_DIMENSIONS[1], Value: 'charge' },
      ],
      Threshold,
    })
    const of = (alarm: string) => alarms.get(`shop-subscription:charge:${alarm}`)
    expect(of('dead-letters')).toMatchObject(own(METRIC_NAMES.deadLetters, 1))
    expect(of('oldest-retry')).toMatchObject(own(METRIC_NAMES.oldestRetry, 3_600))
    expect(of('iterator-age')).toMatchObject(own(METRIC_NAMES.lag, 300))
    expect(of('retention-near')).toMatchObject(own(METRIC_NAMES.lag, (72 * 3_600) / 2))
    expect(of('silent')).toMatchObject({
      ...own(METRIC_NAMES.oldestRetry, 1),
      TreatMissingData: 'breaching',
      AlarmDescription: expect.stringContaining('no worker sweeps'),
    })
    expect([...alarms.values()].filter(({ Namespace }) => Namespace === 'AWS/Lambda')).toEqual([])
    const [dashboard] = resourcesOf(worker, 'AWS::CloudWatch::Dashboard').values()
    expect(JSON.stringify(dashboard?.Properties.DashboardBody)).toContain('\\"title\\":\\"Lag (s)\\"')
  })

  it('write their metrics to where CloudWatch makes them of lines: standard output goes to its logs', () => {
    const { template } = withWorker({ image: IMAGE })
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({ LogConfiguration: Match.objectLike({ LogDriver: 'awslogs' }) }),
      ],
    })
  })

  it('have the size that is asked for', () => {
    const { template } = withWorker({ image: IMAGE, tasks: 5, cpu: 1_024, memoryMiB: 4_096 })
    template.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 5 })
    template.hasResourceProperties('AWS::ECS::TaskDefinition', { Cpu: '1024', Memory: '4096' })
  })
})

describe('The image of a worker', () => {
  it('is made at deployment, of the project around the application file, by a Dockerfile that is written', () => {
    const folder = project({ eddy: '0.1.0' })
    const { app } = withWorker({}, join(folder, 'src', 'app.ts'))
    const { directory } = app.synth()
    const [asset] = readdirSync(directory).filter(
      (name) => /^asset\.\w+$/.test(name) && readdirSync(join(directory, name)).includes('Dockerfile'),
    )
    const staged = join(directory, asset ?? '')
    expect(readdirSync(staged).sort()).toEqual(['Dockerfile', 'package-lock.json', 'package.json', 'src'])
    expect(readFileSync(join(staged, 'Dockerfile'), 'utf8')).toContain(
      'CMD ["node","node_modules/eddy/bin/eddy.js","start","src/app.ts","--engine","aws","--port","4010","--shutdown-timeout","100s"]',
    )
    expect(readdirSync(folder)).not.toContain('Dockerfile')
  })

  it("is made by the project's own Dockerfile when it has one", () => {
    const folder = project({})
    writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n')
    const { app } = withWorker({}, join(folder, 'src', 'app.ts'))
    const { directory } = app.synth()
    const texts = readdirSync(directory)
      .filter(
        (name) => /^asset\.\w+$/.test(name) && readdirSync(join(directory, name)).includes('Dockerfile'),
      )
      .map((name) => readFileSync(join(directory, name, 'Dockerfile'), 'utf8'))
    expect(texts).toEqual(['FROM scratch\n'])
  })

  it('is refused when the project has no eddy to run', () => {
    const folder = project({})
    expect(() => withWorker({}, join(folder, 'src', 'app.ts'))).toThrow(InvalidOptionError)
    expect(() => withWorker({}, join(folder, 'src', 'app.ts'))).toThrow(
      /worker\.directory: expected an npm project/,
    )
  })
})
