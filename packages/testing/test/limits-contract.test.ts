import { limitsContract } from '../src/contracts/index.ts'
import { drivenEngine, SimWorld } from '../src/index.ts'

limitsContract('simulated engine', async () => {
  const world = new SimWorld({ seed: 1 })
  let engine = world.boot()
  return {
    engine: drivenEngine(engine, world.clock),
    advance: (ms: number) => world.clock.advance(ms),
    reopen: async () => {
      world.crash()
      engine = world.boot()
      return drivenEngine(engine, world.clock)
    },
    close: () => engine.close(),
  }
})
