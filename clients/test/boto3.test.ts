import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debianClients } from './support/aws-command.ts'
import { clientEnv } from './support/client-env.ts'
import { runProgram } from './support/run-program.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

describe("Debian's boto3", () => {
  let endpoint: Endpoint
  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
  })
  afterAll(async () => await endpoint?.stop())

  it('passes the tour of Kinesis', async () => await tour('boto3_kinesis.py'))

  it('passes the tour of SQS', async () => await tour('boto3_sqs.py'))

  /** The tours are unittest's own programs: what failed is on their standard error. */
  async function tour(file: string): Promise<void> {
    const { python, pythonPath } = debianClients()
    const program = fileURLToPath(new URL(`../tours/${file}`, import.meta.url))
    const env = clientEnv({ PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' })
    const { status, stderr } = await runProgram(python, [program, endpoint.url], env)
    expect(status, stderr).toBe(0)
    expect(stderr).toMatch(/Ran \d\d tests/)
  }
})
