export { type AwsEndpointOptions, openAwsEndpoint } from './open-aws-endpoint.ts'
export { type Credentials, readCredentials } from './sign/credentials.ts'
