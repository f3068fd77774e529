const MAX_MESSAGE = 110

/** @typedef {{ mutation: import('./list.mjs').Mutation, caught?: { seed: number, invariant: string, message: string }, problem?: string }} Outcome */

/** True when nothing is left to explain. @param {Outcome} outcome */
export function isAccountedFor({ mutation, caught, problem }) {
  return problem === undefined && (caught !== undefined || mutation.equivalent !== undefined)
}

/** One line of Markdown table for each. @param {Outcome[]} outcomes */
export function table(outcomes) {
  const head = ['| Mutation | What it takes away | Caught by | Seeds |', '|---|---|---|---|']
  return [...head, ...outcomes.map((outcome) => `| ${cells(outcome).map(escaped).join(' | ')} |`)].join('\n')
}

/** @param {Outcome} outcome */
export function line(outcome) {
  const [id, , by, seeds] = cells(outcome)
  return `${id.padEnd(40)} ${String(seeds).padStart(5)}  ${by}`
}

function cells({ mutation, caught, problem }) {
  const { id, invariant, what } = mutation
  const about = `${what} (${invariant})`
  if (problem !== undefined) return [id, about, `not tried: ${problem}`, '']
  if (caught !== undefined)
    return [id, about, shortened(`${caught.invariant}: ${caught.message}`), String(caught.seed)]
  return [
    id,
    about,
    mutation.equivalent === undefined ? '**survived**' : `equivalent: ${mutation.equivalent}`,
    '',
  ]
}

function shortened(message) {
  // The same check may be told with the item it saw, which is long.
  const text = message
    .replace(/\s+/g, ' ')
    .replace(/^(\w+): \1: /, '$1: ')
    .replace(/: \{.*$/, '')
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE)} …`
}

function escaped(text) {
  return text.replaceAll('|', '\\|')
}
