import { join } from 'node:path'
import type { Benchmark, Settings } from '../support/benchmark.ts'
import { flushCostUs } from '../support/flush-cost.ts'
import { numberedBodies } from './bodies.ts'
import { type Peer, type RunningPeer, Unavailable } from './peer.ts'
import { resultsOf } from './results.ts'
import { playRound, type Round } from './round.ts'
import { bullMq } from './sides/bullmq.ts'
import { eddy } from './sides/eddy.ts'
import { jetStream } from './sides/jetstream.ts'
import { pgBoss } from './sides/pg-boss.ts'
import { redisStreams } from './sides/redis-streams.ts'
import type { Body } from './tally.ts'

const PEERS: readonly Peer[] = [eddy, bullMq, redisStreams, pgBoss, jetStream]
const ROUNDS = 3
/** Not counted: what a service runs with after its first seconds is compiled code. Numbered 0 and below. */
const WARM_UPS = 2

/** One side and what became of it. */
export interface Entrant {
  readonly peer: Peer
  version: string
  readonly rounds: Round[]
  /** Why there is no figure: it cannot be had here, or it lost, repeated or kept a message. */
  failure: string | undefined
}

/** Eddy and what people would pick instead: the same messages, the same durability, in turn, in one run. */
export const peers: Benchmark = {
  name: 'peers',
  timeoutMs: 600_000,
  async run(settings) {
    const entrants: Entrant[] = PEERS.map((peer) => ({ peer, version: '', rounds: [], failure: undefined }))
    const running = new Map<Entrant, RunningPeer>()
    try {
      for (const entrant of entrants) await start(entrant, running, settings)
      const flushUs = await play(entrants, running, settings)
      const own = entrants[0] as Entrant
      if (own.failure !== undefined) throw new Error(`Eddy: ${own.failure}`)
      return resultsOf(entrants, flushUs)
    } finally {
      await Promise.allSettled([...running.values()].map((peer) => peer.stop()))
    }
  },
}

async function start(
  entrant: Entrant,
  running: Map<Entrant, RunningPeer>,
  settings: Settings,
): Promise<void> {
  const { peer } = entrant
  settings.say(`starting ${peer.name}`)
  const name = peer.name.toLowerCase().replaceAll(/\W+/g, '-')
  try {
    const place = { dir: join(settings.dir, name), programsDir: join(settings.dir, 'programs') }
    const started = await peer.start(place)
    running.set(entrant, started)
    entrant.version = started.version
  } catch (error) {
    entrant.failure = error instanceof Unavailable ? error.message : String(error)
  }
}

/** @returns what a flush cost, round by round */
async function play(
  entrants: readonly Entrant[],
  running: ReadonlyMap<Entrant, RunningPeer>,
  settings: Settings,
): Promise<readonly number[]> {
  const messages = numberedBodies(Math.max(...PEERS.map((peer) => peer.messages)))
  const flushUs: number[] = []
  for (let round = 1 - WARM_UPS; round <= ROUNDS; round += 1) {
    if (round > 0) flushUs.push(await flushCostUs(settings.dir))
    for (const entrant of inTurn(entrants, round)) {
      const side = running.get(entrant)
      if (side === undefined || entrant.failure !== undefined) continue
      settings.say(`round ${round} of ${ROUNDS}, ${entrant.peer.name}`)
      await playOne(entrant, side, messages, round)
    }
  }
  return flushUs
}

/** Every round begins with another side. */
function inTurn(entrants: readonly Entrant[], round: number): Entrant[] {
  const first = (round + WARM_UPS) % entrants.length
  return [...entrants.slice(first), ...entrants.slice(0, first)]
}

async function playOne(
  entrant: Entrant,
  side: RunningPeer,
  messages: readonly Body[],
  round: number,
): Promise<void> {
  const { peer } = entrant
  try {
    const result = await playRound(peer, side, messages.slice(0, peer.messages), round)
    if (round > 0) entrant.rounds.push(result)
  } catch (error) {
    entrant.failure = error instanceof Error ? error.message : String(error)
  }
}
