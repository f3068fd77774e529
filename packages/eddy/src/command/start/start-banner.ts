import type { AppDefinition } from '@eddy/core'
import type { Paint } from '../format/paint.ts'
import type { OpenedEngine } from './open-engine.ts'
import type { StartedAws } from './start-aws.ts'

export interface StartedServer {
  readonly url: string
  readonly port: number
  /** Where AWS clients are served, if they are. */
  readonly aws: Pick<StartedAws, 'url' | 'region' | 'needsSignature'> | undefined
  readonly place: OpenedEngine['place']
  readonly app: AppDefinition | undefined
  readonly file: string | undefined
  readonly needsToken: boolean
}

const DEFAULT_URL = 'http://127.0.0.1:4010'

/** Where it listens, what it runs, what to try next. */
export function startBanner({ url, aws, place, app, file, needsToken }: StartedServer, paint: Paint): string {
  const streams = app?.streams ?? []
  const queues = app?.queues ?? []
  const subscriptions = app?.subscriptions ?? []
  const stream = streams[0]?.name ?? 'STREAM'
  const eddy = url === DEFAULT_URL ? 'eddy' : `eddy --url ${url}`
  return [
    `${paint.bold('eddy')} listens on ${paint.cyan(url)}`,
    ...(aws === undefined
      ? []
      : [`  AWS endpoint   ${paint.cyan(aws.url)} (Kinesis and SQS, ${awsNote(aws)})`]),
    'dataDir' in place
      ? `  data           ${place.dataDir}`
      : `  on AWS         ${place.resources.name}, payloads in ${place.resources.bucket}`,
    `  application    ${file ?? 'none: streams and HTTP only'}`,
    `  streams        ${streams.map(({ name, shards }) => `${name} (${shards})`).join(', ') || '-'}`,
    ...(queues.length > 0 ? [`  queues         ${queues.map(({ name }) => name).join(', ')}`] : []),
    `  subscriptions  ${subscriptions.map(({ name, stream: from }) => `${name} on ${from}`).join(', ') || '-'}`,
    '',
    needsToken ? 'Try next, with EDDY_TOKEN set to the token of this server:' : 'Try next:',
    ...(streams.length + queues.length === 0 ? [`  ${eddy} streams create ${stream}`] : []),
    ...(streams.length === 0 && queues.length > 0
      ? []
      : [`  ${eddy} put ${stream} FILE.ndjson --key FIELD`, `  ${eddy} tail ${stream} --from trim_horizon`]),
    ...(queues[0] === undefined ? [] : [`  ${eddy} queues put ${queues[0].name} FILE.ndjson`]),
    `  ${eddy} subscriptions list`,
    `  ${eddy} failures list`,
    ...(aws === undefined
      ? []
      : [`  aws --endpoint-url ${aws.url} --region ${aws.region} kinesis list-streams`]),
  ].join('\n')
}

function awsNote({ region, needsSignature }: Pick<StartedAws, 'region' | 'needsSignature'>): string {
  return `${region}${needsSignature ? ', signatures checked' : ', any credentials'}`
}
