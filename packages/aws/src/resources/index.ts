export { type AwsResources, checkResources } from './aws-resources.ts'
export { RESOURCE_VARIABLES, resourceEnv, resourcesFromEnv } from './resource-env.ts'
export { queueNameOf, scheduleGroupOf, streamNameOf, tableNameOf } from './resource-names.ts'
