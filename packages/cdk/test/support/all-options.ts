import type { Stack } from 'aws-cdk-lib'
import { FlowLogDestination, type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { EddyAppProps } from '../../src/index.ts'

/** Every option that adds resources, but for workers. */
export function allOptions(stack: Stack): Partial<EddyAppProps> {
  const vpc = new Vpc(stack, 'Network', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'inner', subnetType: SubnetType.PRIVATE_ISOLATED }],
    flowLogs: { all: { destination: FlowLogDestination.toCloudWatchLogs() } },
  })
  return {
    encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
    vpc: vpc as IVpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    vpcEndpoints: true,
    http: 'http-api',
    patientMappings: true,
  }
}
