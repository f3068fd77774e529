import type { Grant } from './grant.ts'

/** What Lambda needs to place a function in a VPC. */
export function networkGrants(): readonly Grant[] {
  return [
    {
      service: 'ec2',
      actions: [
        'AssignPrivateIpAddresses',
        'CreateNetworkInterface',
        'DeleteNetworkInterface',
        'DescribeNetworkInterfaces',
        'DescribeSubnets',
        'UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
      wildcard:
        'Lambda makes the interfaces before they have names, and Describe actions take no resource: AWS documents * for them',
    },
  ]
}
