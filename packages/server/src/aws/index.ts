export type {
  AwsCall,
  AwsOperation,
  AwsService,
  AwsStructure,
  AwsValue,
  RawOperation,
} from './aws-service.ts'
export { type ServeAwsOptions, serveAws } from './listen/serve-aws.ts'
export { type Credentials, readCredentials } from './sign/credentials.ts'
