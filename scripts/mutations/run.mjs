import { parseArgs } from 'node:util'
import { mutations } from './list.mjs'
import { play, runTest } from './play.mjs'
import { isAccountedFor, line, table } from './report.mjs'
import { Workspaces } from './workspace.mjs'

/** Processes playing seeds at a time, and mutations under way. */
const AT_A_TIME = 3
const CONTROL = { id: 'unchanged', invariant: '', what: 'the code as it is: nothing may be seen broken' }

const HELP = `node scripts/mutations/run.mjs [--only ID]... [--seeds N] [--no-control] [--json]

Takes one rule of an invariant's code away at a time, plays the simulation on it, and tells which check noticed, and at
which seed. Exit code 1 when a mutation was not noticed and list.mjs does not say why it cannot be.`

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      seeds: { type: 'string', default: '2000' },
      'no-control': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const seeds = Number(values.seeds)
  const wanted = values.only.length === 0 ? mutations : mutations.filter(({ id }) => values.only.includes(id))
  if (!(seeds >= 1) || wanted.length < new Set(values.only).size) {
    console.error(`${HELP}\n\nKnown: ${mutations.map(({ id }) => id).join(' ')}`)
    process.exitCode = 2
    return
  }
  const workspaces = new Workspaces()
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => workspaces.close().finally(() => process.exit(130)))
  try {
    await workspaces.open()
    const inTurn = turns(AT_A_TIME)
    const isSound = values['no-control'] || (await control(workspaces, seeds, inTurn))
    if (!isSound) return
    const underWay = turns(AT_A_TIME)
    const outcomes = await Promise.all(
      wanted.map((mutation) =>
        underWay(async () => {
          const outcome = await tryOne(workspaces, mutation, seeds, inTurn)
          console.error(line(outcome))
          return outcome
        }),
      ),
    )
    console.log(values.json ? JSON.stringify(outcomes) : table(outcomes))
    if (!outcomes.every(isAccountedFor)) process.exitCode = 1
  } finally {
    await workspaces.close()
  }
}

/** What breaks unchanged code proves nothing about changed code. */
async function control(workspaces, seeds, inTurn) {
  let caught = await play(workspaces.unchanged, seeds, inTurn)
  for (const test of new Set(mutations.flatMap((mutation) => mutation.test ?? [])))
    caught ??= await inTurn(() => runTest(workspaces.unchanged, test))
  console.error(line({ mutation: { ...CONTROL, equivalent: `nothing broke in ${seeds} seeds` }, caught }))
  if (caught !== undefined) process.exitCode = 1
  return caught === undefined
}

async function tryOne(workspaces, mutation, seeds, inTurn) {
  try {
    const folder = await workspaces.mutated(mutation)
    const caught =
      mutation.test === undefined
        ? await play(folder, seeds, inTurn)
        : await inTurn(() => runTest(folder, mutation.test))
    return caught === undefined ? { mutation } : { mutation, caught }
  } catch (error) {
    return { mutation, problem: error.message }
  }
}

/** Lets `limit` works run at a time. */
function turns(limit) {
  let free = limit
  const waiting = []
  return async (work) => {
    if (free === 0) await new Promise((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

await main()
