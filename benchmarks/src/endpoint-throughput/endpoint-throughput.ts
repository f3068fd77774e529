import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { pinnedVersion } from '../support/pinned-version.ts'
import { median } from '../support/statistics.ts'
import { type EndpointServer, type Side, startEndpoint } from './endpoint-servers.ts'
import { KinesisClient } from './kinesis-client.ts'
import { putBodies, RECORDS_A_PUT } from './put-bodies.ts'

const STREAM = 'bench'
const SHARDS = 4
const CONCURRENCY = 8
const LIMIT = 1_000
const ROUNDS = 3
const ACTIVE_MS = 10_000
/** Each side gets so many that it is busy for two seconds or more, after half as many that warm it up. */
const PUTS: Readonly<Record<Side, { readonly warmUp: number; readonly measured: number }>> = {
  eddy: { warmUp: 240, measured: 480 },
  'kinesalite (LevelDB)': { warmUp: 24, measured: 48 },
  'kinesalite (memory)': { warmUp: 24, measured: 48 },
}

interface Measured {
  readonly putsPerSecond: number
  readonly readsPerSecond: number
  readonly putCpuUs: number
  readonly readCpuUs: number
}

/**
 * PutRecords of 500 records of 1 KB, 8 at a time into 4 shards, and GetRecords of 1,000 by 4 readers: over HTTP/1.1, each
 * server in a process of its own, a new one for each round. Eddy's records are on the disk before they are answered;
 * Kinesalite leaves that to the system, or keeps them in memory.
 */
export const endpointThroughput: Benchmark = {
  name: 'endpoint',
  timeoutMs: 240_000,
  async run({ dir, say }) {
    const bodies = putBodies(STREAM)
    const sides = Object.keys(PUTS) as Side[]
    const measured = new Map<Side, Measured[]>(sides.map((side) => [side, []]))
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let turn = 0; turn < sides.length; turn += 1) {
        // Each round begins with another side.
        const side = sides[(turn + round) % sides.length] as Side
        say(`round ${round + 1} of ${ROUNDS}, ${side}`)
        const folder = join(dir, `${round}-${turn}`)
        measured.get(side)?.push(await measure(side, folder, bodies))
        rmSync(folder, { recursive: true, force: true })
      }
    }
    return [
      resultOf(
        'PutRecords ÷ Kinesalite',
        measured,
        ({ putsPerSecond }) => putsPerSecond,
        ({ putCpuUs }) => putCpuUs,
      ),
      resultOf(
        'GetRecords ÷ Kinesalite',
        measured,
        ({ readsPerSecond }) => readsPerSecond,
        ({ readCpuUs }) => readCpuUs,
      ),
    ]
  },
}

async function measure(side: Side, dir: string, bodies: readonly Buffer[]): Promise<Measured> {
  const server = await startEndpoint(side, dir)
  const client = new KinesisClient(server.port, CONCURRENCY)
  try {
    await createStream(client)
    const { warmUp, measured } = PUTS[side]
    await put(client, bodies, warmUp)
    const written = await timed(server, () => put(client, bodies, measured))
    const stored = (warmUp + measured) * RECORDS_A_PUT
    await readAll(client, stored)
    const read = await timed(server, () => readAll(client, stored))
    const records = measured * RECORDS_A_PUT
    return {
      putsPerSecond: records / (written.ms / 1_000),
      readsPerSecond: stored / (read.ms / 1_000),
      putCpuUs: (written.cpuMs * 1_000) / records,
      readCpuUs: (read.cpuMs * 1_000) / stored,
    }
  } finally {
    await client.close()
    await server.process.stop()
  }
}

async function createStream(client: KinesisClient): Promise<void> {
  await client.call('CreateStream', { StreamName: STREAM, ShardCount: SHARDS })
  const untilMs = performance.now() + ACTIVE_MS
  while (performance.now() < untilMs) {
    const described = await client.call('DescribeStreamSummary', { StreamName: STREAM })
    if (described.includes('"ACTIVE"')) return
    await sleep(50)
  }
  throw new Error(`the stream is not ACTIVE after ${ACTIVE_MS} ms`)
}

async function put(client: KinesisClient, bodies: readonly Buffer[], requests: number): Promise<void> {
  let sent = 0
  const lane = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1
      await client.putRecords(bodies[sent % bodies.length] as Buffer)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}

async function readAll(client: KinesisClient, expected: number): Promise<void> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => client.readShard(STREAM, shard, LIMIT))
  const read = (await Promise.all(shards)).reduce((sum, records) => sum + records, 0)
  if (read !== expected) throw new Error(`read ${read} records where ${expected} were written`)
}

async function timed(
  { process }: EndpointServer,
  work: () => Promise<void>,
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const cpuMs = process.cpuMs() ?? 0
  const startedMs = performance.now()
  await work()
  return { ms: performance.now() - startedMs, cpuMs: (process.cpuMs() ?? 0) - cpuMs }
}

/** Against the faster one of Kinesalite's two. */
function resultOf(
  what: string,
  measured: ReadonlyMap<Side, readonly Measured[]>,
  rateOf: (measured: Measured) => number,
  cpuOf: (measured: Measured) => number,
): Result {
  const of = (side: Side, value: (measured: Measured) => number) => (measured.get(side) ?? []).map(value)
  const rate = (side: Side) => median(of(side, rateOf))
  const leveldb = rate('kinesalite (LevelDB)')
  const memory = rate('kinesalite (memory)')
  return {
    what,
    value: rate('eddy') / Math.max(leveldb, memory),
    unit: 'ratio',
    target: { kind: 'at least', value: 10 },
    note:
      `${text(rate('eddy'))}/s against ${text(leveldb)}/s (LevelDB) and ${text(memory)}/s (memory) of ` +
      pinnedVersion('kinesalite'),
    remarks: [
      `CPU of the server a record: ${median(of('eddy', cpuOf)).toFixed(1)} µs against ` +
        `${median(of('kinesalite (LevelDB)', cpuOf)).toFixed(1)} µs and ` +
        `${median(of('kinesalite (memory)', cpuOf)).toFixed(1)} µs`,
    ],
    details: {
      eddy: of('eddy', rateOf),
      leveldb: of('kinesalite (LevelDB)', rateOf),
      memory: of('kinesalite (memory)', rateOf),
    },
  }
}

function text(rate: number): string {
  return Math.round(rate).toLocaleString('en-US')
}
