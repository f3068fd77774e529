// Writes packages/server/src/aws/model/{kinesis,sqs}-model.ts and packages/testing/src/scheduler/scheduler-model.ts: what the
// endpoint and the stand-in need of the official models of the services, without their documentation.
//
//   node scripts/service-models/condense.mjs             fetches Debian's python3-botocore (apt-get, dpkg)
//   node scripts/service-models/condense.mjs --from DIR  botocore's folder `data`
//
// The models are botocore's (https://github.com/boto/botocore, Apache-2.0); additions.mjs has what is newer.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KINESIS, SCHEDULER, SQS } from './additions.mjs'

const ENDPOINT = new URL('../../packages/server/src/aws/model/', import.meta.url)
const STAND_IN = new URL('../../packages/testing/src/scheduler/', import.meta.url)

const SERVICES = [
  {
    name: 'kinesis',
    path: 'kinesis/2013-12-02/service-2.json',
    targetPrefix: 'Kinesis_20131202',
    jsonVersion: '1.1',
    additions: KINESIS,
    // Enhanced fan-out, monitoring, encryption, policies and account settings are not served.
    operations: [
      'AddTagsToStream',
      'CreateStream',
      'DecreaseStreamRetentionPeriod',
      'DeleteStream',
      'DescribeLimits',
      'DescribeStream',
      'DescribeStreamSummary',
      'GetRecords',
      'GetShardIterator',
      'IncreaseStreamRetentionPeriod',
      'ListShards',
      'ListStreams',
      'ListTagsForResource',
      'ListTagsForStream',
      'MergeShards',
      'PutRecord',
      'PutRecords',
      'RemoveTagsFromStream',
      'SplitShard',
      'TagResource',
      'UntagResource',
      'UpdateMaxRecordSize',
      'UpdateShardCount',
      'UpdateStreamMode',
      'UpdateStreamRecordDistributionStrategy',
    ],
  },
  {
    name: 'sqs',
    path: 'sqs/2012-11-05/service-2.json',
    targetPrefix: 'AmazonSQS',
    jsonVersion: '1.0',
    additions: SQS,
    // Permissions are not served: nothing here would enforce them.
    operations: [
      'CancelMessageMoveTask',
      'ChangeMessageVisibility',
      'ChangeMessageVisibilityBatch',
      'CreateQueue',
      'DeleteMessage',
      'DeleteMessageBatch',
      'DeleteQueue',
      'GetQueueAttributes',
      'GetQueueUrl',
      'ListDeadLetterSourceQueues',
      'ListMessageMoveTasks',
      'ListQueueTags',
      'ListQueues',
      'PurgeQueue',
      'ReceiveMessage',
      'SendMessage',
      'SendMessageBatch',
      'SetQueueAttributes',
      'StartMessageMoveTask',
      'TagQueue',
      'UntagQueue',
    ],
  },
  {
    name: 'scheduler',
    path: 'scheduler/2021-06-30/service-2.json',
    output: STAND_IN,
    isRest: true,
    additions: SCHEDULER,
    // Tags are not served: nothing there looks at them.
    operations: [
      'CreateSchedule',
      'CreateScheduleGroup',
      'DeleteSchedule',
      'DeleteScheduleGroup',
      'GetSchedule',
      'GetScheduleGroup',
      'ListScheduleGroups',
      'ListSchedules',
      'UpdateSchedule',
    ],
  },
]

withModels((folder) => {
  for (const service of SERVICES) {
    const official = JSON.parse(readFileSync(join(folder, service.path), 'utf8'))
    const text = source(service, condense(service, merged(official, service.additions)))
    writeFileSync(new URL(`${service.name}-model.ts`, service.output ?? ENDPOINT), text)
    console.log(`${service.name}: ${service.operations.length} operations`)
  }
})

function withModels(use) {
  const from = process.argv.indexOf('--from')
  if (from > 0) return use(process.argv[from + 1])
  const folder = mkdtempSync(join(tmpdir(), 'service-models-'))
  try {
    execFileSync('apt-get', ['download', 'python3-botocore'], { cwd: folder, stdio: 'inherit' })
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'))
    execFileSync('dpkg', ['-x', archive, '.'], { cwd: folder })
    use(join(folder, 'usr/lib/python3/dist-packages/botocore/data'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function merged(official, { operations, shapes, members, optional }) {
  const all = { ...official.shapes, ...shapes }
  for (const [name, added] of Object.entries(members)) {
    const refs = Object.entries(added).map(([member, shape]) => [member, { shape }])
    all[name] = { ...all[name], members: { ...all[name].members, ...Object.fromEntries(refs) } }
  }
  for (const [name, left] of Object.entries(optional))
    all[name] = { ...all[name], required: (all[name].required ?? []).filter((one) => !left.includes(one)) }
  const known = Object.entries(official.operations).map(([name, { input, output, http }]) => [
    name,
    { input: input?.shape, output: output?.shape, http: { method: http.method, uri: http.requestUri } },
  ])
  return {
    apiVersion: official.metadata.apiVersion,
    operations: { ...Object.fromEntries(known), ...operations },
    shapes: all,
  }
}

function condense({ operations, isRest = false }, model) {
  const shapes = {}
  const take = (name) => {
    if (name === undefined || name in shapes) return
    const shape = model.shapes[name]
    shapes[name] = condenseShape(shape, model.shapes, isRest)
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key, shape.value])
      take(member?.shape)
  }
  const served = operations.map((name) => {
    const { http, ...operation } = model.operations[name]
    return [name, isRest ? { ...http, ...operation } : operation]
  })
  for (const [, { input, output }] of served) {
    take(input)
    take(output)
  }
  return { apiVersion: model.apiVersion, operations: Object.fromEntries(served), shapes }
}

function condenseShape(shape, shapes, isRest) {
  const { type } = shape
  const { min, max, pattern } = shape
  const limits = { min, max, pattern, enum: shape.enum }
  if (type === 'structure') {
    const members = Object.entries(shape.members).map(([name, member]) => [
      name,
      isRest ? restMember(member) : condenseMember(name, member, shapes),
    ])
    const required = shape.required?.length > 0 ? shape.required : undefined
    return { type, members: Object.fromEntries(members), required }
  }
  if (type === 'list') return { type, member: { shape: shape.member.shape }, ...limits }
  if (type === 'map') return { type, key: named(shape.key), value: named(shape.value), ...limits }
  return { type, ...limits }
}

/** The name of a flattened list is that of its members: the query protocol writes nothing else. */
function condenseMember(name, member, shapes) {
  const target = shapes[member.shape]
  const flattened = member.flattened === true || target.flattened === true
  const ofMembers = flattened && target.type === 'list' ? target.member.locationName : undefined
  const locationName = ofMembers ?? member.locationName ?? target.locationName
  return {
    shape: member.shape,
    locationName: locationName === name ? undefined : locationName,
    flattened: flattened || undefined,
  }
}

/** What of a request is not in its body. */
function restMember({ shape, location, locationName }) {
  return location === undefined ? { shape } : { shape, location, locationName }
}

function named({ shape, locationName }) {
  return { shape, locationName }
}

function source(service, { apiVersion, operations, shapes }) {
  const lines = (entries) =>
    Object.entries(entries)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `    ${name}: ${literal(value)},`)
  return `${[
    '// biome-ignore-all format: a shape a line',
    "import type { ServiceModel } from './service-model.ts'",
    '',
    '/**',
    ` * Written by scripts/service-models/condense.mjs: the operations of ${service.name} that are served, from botocore's`,
    " * model (Copyright Amazon.com, Inc. or its affiliates, Apache-2.0), with the script's own additions.",
    ' */',
    `export const ${service.name}Model: ServiceModel = {`,
    `  name: '${service.name}',`,
    `  apiVersion: '${apiVersion}',`,
    ...(service.isRest === true
      ? []
      : [`  targetPrefix: '${service.targetPrefix}',`, `  jsonVersion: '${service.jsonVersion}',`]),
    '  operations: {',
    ...lines(operations),
    '  },',
    '  shapes: {',
    ...lines(shapes),
    '  },',
    '}',
  ].join('\n')}\n`
}

function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return entries.length === 0
    ? '{}'
    : `{ ${entries.map(([name, inner]) => `${name}: ${literal(inner)}`).join(', ')} }`
}
