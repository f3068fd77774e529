import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../support/run-command.ts'

const APP = fileURLToPath(new URL('../../../../../docs/tour/app.ts', import.meta.url))

describe('eddy start --engine', () => {
  it.each([
    [['--engine', 'aws', '--data', './d'], '--data'],
    [['--engine', 'aws', '--aws-port', '4566'], '--aws-port'],
    [['--bucket', 'b'], '--bucket'],
    [['--create'], '--create'],
    [['--metrics', 'emf'], '--metrics'],
    [['--engine', 'aws', '--metrics', 'statsd'], '--metrics'],
    [['--engine', 'gcp'], '--engine'],
    [['--engine', 'aws', '--name', 'shop', '--bucket', 'b', '--lease', 'soon'], '--lease'],
  ])('refuses what does not fit together: %o', async (options, named) => {
    const { exitCode, stderr } = await runCommand(['start', APP, ...options])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(named)])
  })

  it('needs an application on AWS', async () => {
    const { exitCode, stderr } = await runCommand(['start', '--engine', 'aws', '--name', 'shop'])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('an application file')])
  })

  it.each([
    [[], 'EDDY_NAME'],
    [['--name', 'shop'], 'EDDY_BUCKET'],
    [['--name', 'Shop', '--bucket', 'b'], 'resources.name'],
    [['--name', 'shop', '--bucket', 'b', '--lease', '10ms'], 'leaseMs'],
  ])('says which resource is missing or wrong: %o', async (options, named) => {
    const { exitCode, stderr } = await runCommand(['start', APP, '--engine', 'aws', ...options])
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining(named)])
  })
})
