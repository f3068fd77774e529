import { CfnResource, CustomResource, Stack } from 'aws-cdk-lib'
import { Construct, type IConstruct } from 'constructs'
import type { MappingSpec } from './mapping-spec.ts'

/**
 * The mappings of an application. Those on one stream are made one after another: the service refuses with
 * LimitExceeded what reads one stream in too many new ways at a time, and that would fail the deployment.
 */
export class EventSourceMappings extends Construct {
  readonly #serviceToken: string | undefined
  readonly #last = new Map<string, IConstruct>()

  /** @param serviceToken - of a function that makes mappings patiently; undefined: CloudFormation makes them itself */
  constructor(scope: Construct, id: string, serviceToken: string | undefined) {
    super(scope, id)
    this.#serviceToken = serviceToken
  }

  /**
   * @param source - mappings of the same source wait for each other
   * @param requires - what else must be there first
   */
  add(id: string, source: string, spec: MappingSpec, requires: readonly IConstruct[] = []): void {
    const mapping = this.#make(id, spec)
    const previous = this.#last.get(source)
    mapping.node.addDependency(...requires, ...(previous === undefined ? [] : [previous]))
    this.#last.set(source, mapping)
  }

  #make(id: string, spec: MappingSpec): IConstruct {
    if (this.#serviceToken === undefined) {
      return new CfnResource(this, id, { type: 'AWS::Lambda::EventSourceMapping', properties: { ...spec } })
    }
    return new CustomResource(this, id, {
      resourceType: 'Custom::EventSourceMapping',
      serviceToken: this.#serviceToken,
      // As text: CloudFormation hands numbers and truth values to custom resources as strings.
      properties: { Mapping: Stack.of(this).toJsonString(spec) },
    })
  }
}
