import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import { Key } from 'aws-cdk-lib/aws-kms'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import { allOptions } from './support/all-options.ts'
import { type Synthesized, synthesized } from './support/synthesized.ts'

const WORKER = { image: ContainerImage.fromRegistry('registry.example/shop:1') }

const findings = ({ app }: Synthesized) =>
  new AwsSolutionsChecks()
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ resourceLogicalId }) => `${ruleName} ${resourceLogicalId}`),
    )

describe("cdk-nag's AwsSolutions", () => {
  it('finds nothing with the defaults', () => {
    expect(findings(synthesized())).toEqual([])
  })

  it('finds nothing with a key, an HTTP API, patient mappings, a network and its endpoints', () => {
    expect(findings(synthesized(allOptions))).toEqual([])
  })

  it('finds nothing with workers on Fargate', () => {
    expect(findings(synthesized((stack) => ({ ...allOptions(stack), worker: WORKER })))).toEqual([])
  })

  it('finds nothing where a token opens HTTP', () => {
    for (const http of ['function-url', 'http-api'] as const)
      expect(findings(synthesized({ http, httpAuth: 'token' }))).toEqual([])
  })

  it('looks at all of it: what is not acknowledged is found', () => {
    const open = synthesized()
    new Key(open.stack, 'Unrotated')
    expect(findings(open).map((finding) => finding.split(' ')[0])).toEqual(['AwsSolutions-KMS5'])
  })
})
