import type { Result } from '../support/benchmark.ts'
import { median } from '../support/statistics.ts'
import type { Entrant } from './peers.ts'
import { type Measured, type Round, SHAPES, type Shape } from './round.ts'

const TITLES: Readonly<Record<Shape, string>> = {
  produce: 'produce',
  consume: 'consume',
  'at once': 'both at once',
  failing: 'consume, 1 % failing twice',
}
const ONE_AFTER_THE_OTHER = 'produce, then consume'

/** What Eddy set itself, on append, handle, checkpoint: one after the other and at once. */
const TARGETS: Readonly<Record<string, number>> = { BullMQ: 5, 'Redis Streams': 1 }

/** The first entrant is Eddy. */
export function resultsOf(entrants: readonly Entrant[], flushUs: readonly number[]): Result[] {
  const [own, ...others] = entrants as [Entrant, ...Entrant[]]
  return [
    {
      what: 'a write of 4 KiB and its fdatasync',
      value: median(flushUs),
      unit: 'µs',
      note: `${flushUs.map(Math.round).join(', ')} before the rounds`,
      details: { flushUs },
    },
    ...entrants.flatMap(linesOf),
    ...others.filter(({ failure }) => failure === undefined).flatMap((other) => ratiosOf(own, other)),
  ]
}

function linesOf({ peer, version, rounds, failure }: Entrant): Result[] {
  const about = { what: `${peer.name}: messages a round`, unit: 'count' } as const
  if (failure !== undefined) return [{ ...about, value: 0, note: `NOT MEASURED: ${failure}` }]
  const shapes = SHAPES.map((shape) =>
    lineOf(
      `${peer.name}: ${TITLES[shape]}`,
      rounds.map((round) => round[shape]),
    ),
  )
  shapes.splice(2, 0, lineOf(`${peer.name}: ${ONE_AFTER_THE_OTHER}`, rounds.map(oneAfterTheOther)))
  return [{ ...about, value: peer.messages, note: version, remarks: [peer.how, peer.progress] }, ...shapes]
}

function lineOf(what: string, runs: readonly Measured[]): Result {
  const rates = runs.map(rateOf)
  const clientCpuUs = runs.map(({ clientCpuMs, messages }) => (clientCpuMs * 1_000) / messages)
  const serverCpuUs = runs.map(({ serverCpuMs = Number.NaN, messages }) => (serverCpuMs * 1_000) / messages)
  const server = median(serverCpuUs)
  return {
    what,
    value: median(rates),
    unit: 'per second',
    note: `CPU ${median(clientCpuUs).toFixed(1)} µs a message${server > 0 ? `, and ${server.toFixed(1)} µs in the server` : ''}`,
    details: { rates, clientCpuUs, serverCpuUs },
  }
}

function ratiosOf(own: Entrant, other: Entrant): Result[] {
  const target = TARGETS[other.peer.name]
  const ratio = (what: string, runOf: (round: Round) => Measured, withTarget: boolean): Result => {
    const [ours, theirs] = [own, other].map(({ rounds }) =>
      median(rounds.map((round) => rateOf(runOf(round)))),
    )
    return {
      what: `Eddy ÷ ${other.peer.name}: ${what}`,
      value: (ours as number) / (theirs as number),
      unit: 'ratio',
      ...(withTarget && target !== undefined && { target: { kind: 'at least', value: target } as const }),
      note: `${perSecond(ours as number)} against ${perSecond(theirs as number)}`,
    }
  }
  return [
    ratio(ONE_AFTER_THE_OTHER, oneAfterTheOther, true),
    ratio(TITLES['at once'], (round) => round['at once'], true),
    ratio(TITLES.failing, (round) => round.failing, false),
  ]
}

/** Append, handle, checkpoint: a message's way through both, the times of both added. */
function oneAfterTheOther({ produce, consume }: Round): Measured {
  return {
    messages: produce.messages,
    ms: produce.ms + consume.ms,
    clientCpuMs: produce.clientCpuMs + consume.clientCpuMs,
    serverCpuMs:
      produce.serverCpuMs === undefined || consume.serverCpuMs === undefined
        ? undefined
        : produce.serverCpuMs + consume.serverCpuMs,
  }
}

function rateOf({ messages, ms }: Measured): number {
  return (messages / ms) * 1_000
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en-US')}/s`
}
