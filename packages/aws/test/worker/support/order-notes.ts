import { existsSync, readFileSync } from 'node:fs'

/** What the application `orders` writes of an attempt. */
export interface OrderNote {
  /** Of an attempt: `fail` and `end` are its ends. */
  readonly what: 'begin' | 'end' | 'fail'
  readonly worker: string
  readonly customer: string
  readonly number: number
  readonly shardId: string
  /** Epoch milliseconds. */
  readonly atMs: number
}

/** In the order in which all workers wrote them; what a dying one wrote half is left out. */
export function readOrderNotes(file: string): readonly OrderNote[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [what, worker, customer, number, shardId, atMs] = line.split(' ') as [
      OrderNote['what'],
      ...string[],
    ]
    return {
      what,
      worker: worker ?? '',
      customer: customer ?? '',
      number: Number(number),
      shardId: shardId ?? '',
      atMs: Number(atMs),
    }
  })
}

/** Attempts that began before each earlier order of their customer had come to a good end, in any worker. */
export function brokenOrder(notes: readonly OrderNote[]): readonly OrderNote[] {
  const done = new Map<string, Set<number>>()
  /** By customer: all before it are done. */
  const next = new Map<string, number>()
  const broken: OrderNote[] = []
  for (const note of notes) {
    const { what, customer, number } = note
    const upTo = next.get(customer) ?? 0
    if (what === 'begin' && number > upTo) broken.push(note)
    if (what !== 'end') continue
    const numbers = done.get(customer) ?? new Set()
    done.set(customer, numbers.add(number))
    let after = upTo
    while (numbers.has(after)) after += 1
    next.set(customer, after)
  }
  return broken
}

/** How many orders came to a good end, each counted once. */
export function doneOrders(notes: readonly OrderNote[]): number {
  return new Set(
    notes.filter(({ what }) => what === 'end').map(({ customer, number }) => `${customer} ${number}`),
  ).size
}

/** Orders that the worker has begun and not ended. */
export function inFlightOf(notes: readonly OrderNote[], worker: string): number {
  return notes
    .filter((note) => note.worker === worker)
    .reduce((sum, { what }) => sum + (what === 'begin' ? 1 : -1), 0)
}
