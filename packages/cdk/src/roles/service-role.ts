import { Stack, Validations } from 'aws-cdk-lib'
import { Effect, type IPrincipal, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { Grant } from './grant.ts'

export interface ServiceRoleOptions {
  readonly assumedBy: IPrincipal
  readonly description: string
  readonly grants: readonly Grant[]
}

/** A role that allows its grants and nothing else: one inline policy a service, no managed policies. */
export function serviceRole(
  scope: Construct,
  id: string,
  { assumedBy, description, grants }: ServiceRoleOptions,
): Role {
  const services = [...new Set(grants.map(({ service }) => service))].sort()
  const role = new Role(scope, id, {
    assumedBy,
    description,
    inlinePolicies: Object.fromEntries(
      services.map((service) => [
        service,
        new PolicyDocument({
          statements: grants.filter((grant) => grant.service === service).map(statementOf),
        }),
      ]),
    ),
  })
  for (const { resources, wildcard } of grants) {
    for (const resource of resources.filter((name) => name.includes('*'))) {
      acknowledgeWildcard(role, resource, wildcard)
    }
  }
  return role
}

function statementOf({ service, actions, resources, conditions }: Grant): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: actions.map((action) => `${service}:${action}`),
    resources: [...resources],
    ...(conditions !== undefined && { conditions }),
  })
}

/** A resource with a `*` in it states its reason, which cdk-nag's AwsSolutions-IAM5 is told. */
function acknowledgeWildcard(role: Role, resource: string, wildcard: string | undefined): void {
  if (wildcard === undefined) throw new Error(`a grant on ${resource} says nothing about its wildcard`)
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${findingOf(role, resource)}]`,
    reason: wildcard,
  })
}

/** A resource as cdk-nag writes it: references of the template in angle brackets. */
function findingOf(role: Role, resource: string): string {
  const resolved: unknown = Stack.of(role).resolve(resource)
  return textOf(resolved)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>
  if (typeof Ref === 'string') return `<${Ref}>`
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`
  if (Array.isArray(join)) {
    const [separator, parts] = join as [string, unknown[]]
    return parts.map(textOf).join(separator)
  }
  throw new Error(`a grant on ${JSON.stringify(value)}, which has no name`)
}
