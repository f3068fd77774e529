import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../support/run-command.ts'

describe('eddy synth', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eddy-synth-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** What `npm install` would have put beside the application. */
  async function install(source: string): Promise<void> {
    const place = join(folder, 'node_modules/@eddy/cdk')
    await mkdir(place, { recursive: true })
    await writeFile(
      join(place, 'package.json'),
      '{"name":"@eddy/cdk","type":"module","exports":"./index.js"}',
    )
    await writeFile(join(place, 'index.js'), source)
  }

  const app = () => join(folder, 'app.ts')

  it('says what to install when the constructs are not there: exit 2', async () => {
    expect(await runCommand(['synth', app(), '--name', 'shop'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'eddy: eddy synth needs @eddy/cdk, which is not installed. Install it with: npm install --save-dev @eddy/cdk aws-cdk-lib constructs\n',
    })
  })

  it('says so as well when only what they stand on is missing', async () => {
    await install(`import 'aws-cdk-lib'`)
    const { exitCode, stderr } = await runCommand(['synth', app(), '--name', 'shop'])
    expect(exitCode).toBe(2)
    expect(stderr).toBe(
      'eddy: eddy synth needs aws-cdk-lib, which is not installed beside @eddy/cdk. Install it with: npm install --save-dev @eddy/cdk aws-cdk-lib constructs\n',
    )
  })

  it('hands its options on, and prints what was made', async () => {
    await install(`export function synth(options) {
      return { template: options.outDir + '/shop.template.json', stack: 'shop', resources: { 'AWS::SQS::Queue': 6 }, options }
    }`)
    const argv = [
      'synth',
      app(),
      '--name',
      'shop',
      '--out',
      'made',
      '--stream',
      'orders=orders-v2',
      '--http',
      'none',
    ]
    const { exitCode, stdout } = await runCommand(argv)
    expect([exitCode, stdout]).toEqual([
      0,
      'RESOURCE    COUNT\nSQS::Queue      6\n\nmade/shop.template.json is the template of shop. Deploy it with: npx cdk deploy --app made\n',
    ])
    const { stdout: json } = await runCommand([...argv, '--json'])
    expect(JSON.parse(json)).toMatchObject({
      options: {
        entry: app(),
        name: 'shop',
        outDir: 'made',
        streams: { orders: 'orders-v2' },
        http: 'none',
        httpAuth: 'iam',
        patientMappings: false,
      },
    })
  })

  it('exits 2 for a wrong --stream, and without a name', async () => {
    for (const wrong of ['orders', 'orders=', '=a', 'a=b=c'])
      expect((await runCommand(['synth', app(), '--name', 'shop', '--stream', wrong])).exitCode).toBe(2)
    expect(await runCommand(['synth', app()])).toMatchObject({ exitCode: 2 })
  })
})
