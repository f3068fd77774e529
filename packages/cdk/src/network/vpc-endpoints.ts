import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'

/** What is called: each an endpoint with a price of its own, but for the two gateways. */
const INTERFACES = {
  kinesis: InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
  sqs: InterfaceVpcEndpointAwsService.SQS,
  sns: InterfaceVpcEndpointAwsService.SNS,
  scheduler: new InterfaceVpcEndpointAwsService('scheduler'),
  logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
} as const

export interface VpcEndpointsOptions {
  readonly vpc: IVpc
  readonly subnets: SubnetSelection | undefined
  /** Who may call: nobody else in the network. */
  readonly callers: readonly ISecurityGroup[]
}

/** Endpoints of the services in a network, so that nothing of the application leaves it. */
export class VpcEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, subnets, callers }: VpcEndpointsOptions) {
    super(scope, id)
    const group = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'Endpoints of services',
      allowAllOutbound: false,
    })
    for (const caller of callers) group.addIngressRule(caller, Port.HTTPS, 'calls of the application')
    const where = { securityGroups: [group], open: false, ...(subnets !== undefined && { subnets }) }
    for (const [name, service] of Object.entries(INTERFACES)) {
      vpc.addInterfaceEndpoint(`${this.node.id}-${name}`, { service, ...where })
    }
    const gateway = subnets === undefined ? {} : { subnets: [subnets] }
    vpc.addGatewayEndpoint(`${this.node.id}-dynamodb`, {
      service: GatewayVpcEndpointAwsService.DYNAMODB,
      ...gateway,
    })
    vpc.addGatewayEndpoint(`${this.node.id}-s3`, { service: GatewayVpcEndpointAwsService.S3, ...gateway })
  }
}
