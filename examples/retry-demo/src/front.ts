import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Blocks, Eddy } from 'eddy'
import type { AttemptLog } from './attempt-log.ts'
import type { DemoMailServer } from './mail-server.ts'
import { streamOf, subscriptionOf, VARIANTS } from './retry-demo-app.ts'

export interface FrontOptions {
  readonly eddy: Eddy
  readonly log: AttemptLog
  readonly mail: DemoMailServer
  /** Where Eddy's own API listens, for the hints. */
  readonly eddyUrl: string
}

/** The application's own web server: puts events, and shows what became of them. */
export function createFront(options: FrontOptions): Server {
  return createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      respond(response, 500, { error: error instanceof Error ? error.message : String(error) })
    })
  })
}

async function answer(
  options: FrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const { eddy, log, mail } = options
  if (request.method !== 'GET') return respond(response, 405, { error: 'only GET' })
  switch (pathname) {
    case '/':
      return await putVisit(options, searchParams, response)
    case '/log':
      return respond(response, 200, log.list())
    case '/failures':
      return respond(response, 200, (await eddy.operations.listFailures({})).items.map(brief))
    case '/repair':
      mail.repair()
      return respond(response, 200, { mailServer: 'repaired', next: 'redrive what is dead' })
    default:
      return respond(response, 404, { error: 'try /, /?fail=true, /log, /failures or /repair' })
  }
}

async function putVisit(
  { eddy, eddyUrl }: FrontOptions,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const blocks = (query.get('blocks') ?? 'nothing') as Blocks
  if (!VARIANTS.includes(blocks)) return respond(response, 400, { error: 'blocks: nothing, key or shard' })
  const visitor = query.get('key') ?? 'ann'
  const fail = query.get('fail') === 'true'
  const [outcome] = await eddy.append(streamOf(blocks), {
    key: visitor,
    type: 'visit',
    data: { visitor, fail },
  })
  if (outcome?.ok !== true) return respond(response, 503, { error: outcome?.message })
  const { id, shardId, sequenceNumber } = outcome
  const hints = fail ? hintsFor(subscriptionOf(blocks), eddyUrl) : {}
  respond(response, 202, { stream: streamOf(blocks), key: visitor, id, shardId, sequenceNumber, ...hints })
}

/** What to do about an event that fails. With `key` and `shard` a late event is out of order: the author must agree. */
export function hintsFor(
  subscription: string,
  eddyUrl: string,
): Readonly<Record<'look' | 'redrive', string>> {
  const where = `--subscription ${subscription} --url ${eddyUrl}`
  const agree = subscription === subscriptionOf('nothing') ? '' : ' --allow-out-of-order'
  return {
    look: `npx eddy failures list ${where}`,
    redrive: `npx eddy failures redrive --status dead${agree} ${where}`,
  }
}

function brief(item: {
  readonly id: string
  readonly subscription: string
  readonly key: string
  readonly eventId: string
  readonly status: string
  readonly attempts: number
  readonly lastError?: { readonly type: string; readonly message: string }
}) {
  const { id, subscription, key, eventId, status, attempts, lastError } = item
  return { id, subscription, key, eventId, status, attempts, error: lastError?.message }
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  // A line for each item of a list, so that it can be read in a terminal.
  const lines = Array.isArray(body)
    ? `[\n${body.map((item) => JSON.stringify(item)).join(',\n')}\n]`
    : undefined
  response.end(`${lines ?? JSON.stringify(body, undefined, 2)}\n`)
}
