import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debianClients } from './support/aws-command.ts'
import { clientEnv } from './support/client-env.ts'
import { runToSuccess } from './support/run-program.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Debian's `aws` does not read AWS_ENDPOINT_URL yet. */
const AWS = 'aws() { "$PYTHON" "$AWS" --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'

describe('docs/guides/local-kinesis.md', () => {
  let endpoint: Endpoint
  let dir: string
  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
    dir = await mkdtemp(join(tmpdir(), 'eddy-guide-'))
  })
  afterAll(async () => {
    await endpoint?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('its commands do what it shows', async () => {
    const page = await readFile(join(ROOT, 'docs/guides/local-kinesis.md'), 'utf8')
    const throttle = page.slice(page.indexOf('## The first throttle'), page.indexOf('## One stream'))
    // Not the one with curl: it may not be there, and whether it is refused depends on how fast it is.
    const all = [...throttle.matchAll(/^\$ (.*)$/gm)].map(([, command = '']) => command)
    const commands = all.filter((command) => !command.includes('curl'))
    expect(commands).toHaveLength(6)
    const { python, aws, pythonPath } = debianClients()
    const script = commands
      .map((command) =>
        command.replace('python3 clients/', `"$PYTHON" '${ROOT}clients/`).replace('.py ', ".py' "),
      )
      .join('\n')
    const printed = await runToSuccess('/bin/bash', ['-euc', `cd '${dir}'\n${AWS}${script}`], {
      ...clientEnv({ PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' }),
      AWS_ENDPOINT_URL: endpoint.url,
      PYTHON: python,
      AWS: aws,
    })
    expect(printed).toMatch(/^\[\n {4}151,\n {4}\{\n {8}"SequenceNumber": "1000000000000000"/)
    expect(printed).toContain('"ErrorCode": "ProvisionedThroughputExceededException"')
    expect(printed).toMatch(/^5000 records put, \d+ throttled and put again in \d+ further requests$/m)
  })
})
