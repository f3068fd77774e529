import {
  blobsContract,
  clockContract,
  engineContract,
  logContract,
  queueContract,
  tableContract,
} from '../src/contracts/index.ts'
import { drivenEngine, type FaultPlan, quietFaults, roughFaults, SimWorld } from '../src/index.ts'

const MAX_RECORD_BYTES = 100_000

function fixtures(seed: number, faults: FaultPlan) {
  return async () => {
    const world = new SimWorld({ seed, faults, maxRecordBytes: MAX_RECORD_BYTES })
    let engine = world.boot()
    return {
      engine: drivenEngine(engine, world.clock),
      advance: (ms: number) => world.clock.advance(ms),
      leap: (ms: number) => world.clock.advance(ms),
      reopen: async () => {
        world.crash()
        engine = world.boot()
        return drivenEngine(engine, world.clock)
      },
      close: () => engine.close(),
    }
  }
}

const slow: FaultPlan = {
  ...quietFaults,
  callMs: { minMs: 0, maxMs: 5 },
  answerMs: { minMs: 0, maxMs: 5 },
}

for (const [name, faults, seeds] of [
  ['quiet', quietFaults, [1]],
  ['slow', slow, [1]],
  ['rough', roughFaults, [1, 2]],
] as const) {
  for (const seed of seeds) {
    const options = { faulty: name === 'rough', maxRecordBytes: MAX_RECORD_BYTES }
    const title = `simulated engine, ${name}, seed ${seed}`
    const open = fixtures(seed, faults)
    logContract(title, open, options)
    queueContract(title, open, options)
    tableContract(title, open, options)
    blobsContract(title, open, options)
    clockContract(title, open, options)
    engineContract(title, open, options)
  }
}
