import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { Engine } from '@eddy/core'
import { openEmbedded, systemClock } from '@eddy/embedded'
import { openAwsEndpoint } from '@eddy/server/aws'
import { SimWorld } from '@eddy/testing'
import { type ContractOptions, type LogNature, logContract, type OpenFixture } from '@eddy/testing/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KinesisLog } from '../../src/kinesis/index.ts'
import { type Emulator, startKinesisLocal } from '../support/emulators.ts'
import { clientOf, type Kinesalite, startKinesalite } from '../support/kinesalite.ts'
import { recordInto } from '../support/record-calls.mjs'
import { readCalls, violationsOf } from '../support/recorded-calls.ts'

const HOUR_MS = 3_600_000

/** Of Kinesis itself, by its documentation: the rest of the suite holds as it stands. */
const KINESIS: LogNature = {
  minRetentionMs: 24 * HOUR_MS,
  forgetsHashKeys: true,
  hasOwnDepths: true,
  timesInSeconds: true,
}

/** With a key of one character. */
const MAX_RECORD_BYTES = 1024 * 1024 - 1

const DESCRIBED = 'a created stream is described as it was asked for'
const BOUNDS = 'bounds: names, shard counts and retention are checked'
const LAG = 'millisBehindLatest: 0 at the head, else the age of the last record returned'
const SPLIT = 'a split closes the shard and opens two children over its range, above it'
const MERGE = 'a merge closes two adjacent shards and opens one child over both ranges'
const STARTS = "a child is said to start at its parents' last number, for clients that begin after the start"

interface Service {
  readonly endpoint: string
  stop(): Promise<void>
}

/** @param options - departures of the service from Kinesis, by the title of the test that shows it */
function contractOn(
  name: string,
  start: () => Promise<Service>,
  options: Pick<ContractOptions, 'departures' | 'maxRecordBytes'>,
): void {
  describe(name, () => {
    let service: Service
    let client: KinesisClient
    let folder: string
    beforeAll(async () => {
      service = await start()
      client = clientOf(service.endpoint)
      folder = await mkdtemp(join(tmpdir(), 'eddy-calls-'))
      recordInto(join(folder, 'calls.ndjson'))
    })
    afterAll(async () => {
      recordInto(undefined)
      client?.destroy()
      await service?.stop()
      await rm(folder, { recursive: true, force: true })
    })
    const open: OpenFixture = async () => {
      const logs: KinesisLog[] = []
      // The other ports are those of the simulation: only the log is under test.
      const world = new SimWorld({ seed: 1 })
      const boot = (): Engine => {
        const log = new KinesisLog({ client, clock: systemClock, createStreams: 'provisioned', pollMs: 20 })
        logs.push(log)
        return { ...world.boot(), log, clock: systemClock }
      }
      return {
        engine: boot(),
        advance: (ms) => sleep(ms),
        reopen: async () => boot(),
        close: async () => {
          const log = logs.at(-1) as KinesisLog
          for (const stream of await log.listStreams()) await log.deleteStream(stream.name)
          await log.close()
        },
      }
    }
    logContract(name, open, { ...options, log: KINESIS })

    test('every request was one that the model of Kinesis allows', () => {
      const calls = readCalls(join(folder, 'calls.ndjson'))
      expect(new Set(calls.map(({ operation }) => operation)).size).toBeGreaterThan(10)
      expect(violationsOf(calls)).toEqual([])
    })
  })
}

contractOn(
  'kinesalite',
  async () => {
    const service: Kinesalite = await startKinesalite()
    return { endpoint: service.endpoint, stop: () => service.close() }
  },
  {
    maxRecordBytes: MAX_RECORD_BYTES,
    departures: {
      [DESCRIBED]: 'kinesalite dates a stream two seconds back',
      [BOUNDS]: 'kinesalite keeps records for 168 hours at the most, as Kinesis once did',
      [LAG]: 'kinesalite says 0, whatever is left',
    },
  },
)

contractOn(
  'kinesis-local',
  async () => {
    const emulator: Emulator = await startKinesisLocal()
    return { endpoint: emulator.endpoint, stop: () => emulator.stop() }
  },
  {
    maxRecordBytes: MAX_RECORD_BYTES,
    departures: {
      [BOUNDS]: 'an account has 500 shards there',
      [SPLIT]: 'kinesis-local ends a closed shard at 9223372036854775807, below all of its records',
      [MERGE]: 'kinesis-local starts a merged shard at the number that its first parent started at',
    },
  },
)

contractOn(
  "Eddy's endpoint",
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'eddy-kinesis-'))
    const engine = await openEmbedded({ dataDir })
    const server = await openAwsEndpoint({
      engine,
      host: '127.0.0.1',
      port: 0,
      region: 'us-east-1',
      limits: 'off',
      instant: true,
    })
    return {
      endpoint: server.url,
      stop: async () => {
        await server.close()
        await engine.close()
        await rm(dataDir, { recursive: true, force: true })
      },
    }
  },
  {
    departures: {
      [BOUNDS]: 'an account has 500 shards there',
      [SPLIT]: STARTS,
      [MERGE]: STARTS,
    },
  },
)
