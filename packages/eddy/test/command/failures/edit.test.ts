import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer, problem } from '../support/fake-server.ts'
import { runCommand } from '../support/run-command.ts'
import { failureDetail, ledgerItem, PAYLOAD } from './ledger-items.ts'

let folder: string
let server: FakeServer | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-edit-test-'))
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

const EDITED = PAYLOAD.replace('"amount":0', '"amount":12')

async function editServer(conflict = false): Promise<string> {
  server = await fakeServer(({ method }) => {
    if (method === 'GET') return { json: failureDetail() }
    if (conflict) return problem(409, 'EDDY_EDIT_CONFLICT', 'failure "x" was not edited: it changed')
    return { json: { item: ledgerItem({ id: 'new', status: 'retrying' }), original: ledgerItem() } }
  })
  return server.url
}

async function fileWith(text: string): Promise<string> {
  const file = join(folder, 'edited.json')
  await writeFile(file, text)
  return file
}

const sent = () => (server as FakeServer).requests.filter(({ method }) => method === 'PUT')

describe('eddy failures edit', () => {
  it('shows a unified diff and sends the file with who and what it was based on', async () => {
    const url = await editServer()
    const argv = ['failures', 'edit', 'x', '--file', await fileWith(EDITED), '--yes', '--by', 'Ada Ł']
    const { exitCode, stdout } = await runCommand(argv, { url })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('-    "amount": 0\n+    "amount": 12\n')
    expect(stdout).toContain('edited: new (retrying) replaces billing:ab12')
    expect(sent()).toMatchObject([
      {
        path: `${'/v1/failures/x'.replace('x', ledgerItem().id)}/payload`,
        body: EDITED,
        headers: { 'eddy-expect-updated-at': '1790000003012', 'eddy-by': 'Ada ?' },
      },
    ])
  })

  it('refuses when nothing but white space was changed, and what is no JSON object', async () => {
    const url = await editServer()
    const same = JSON.stringify(JSON.parse(PAYLOAD), undefined, 4)
    const unchanged = await runCommand(['failures', 'edit', 'x', '--file', await fileWith(same), '--yes'], {
      url,
    })
    expect(unchanged).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('nothing was changed') })
    for (const text of ['{"data":', '[1]', '"text"']) {
      const run = await runCommand(['failures', 'edit', 'x', '--file', await fileWith(text), '--yes'], {
        url,
      })
      expect(run).toMatchObject({ exitCode: 2 })
    }
    expect(sent()).toEqual([])
  })

  it('shows the difference and sends nothing with --dry-run', async () => {
    const url = await editServer()
    const argv = ['failures', 'edit', 'x', '--file', await fileWith(EDITED), '--dry-run']
    expect(await runCommand(argv, { url })).toMatchObject({ exitCode: 0 })
    expect(sent()).toEqual([])
  })

  it('needs --yes and --file where there is no terminal', async () => {
    const url = await editServer()
    expect(
      await runCommand(['failures', 'edit', 'x', '--file', await fileWith(EDITED)], { url }),
    ).toMatchObject({
      exitCode: 2,
    })
    expect(await runCommand(['failures', 'edit', 'x'], { url })).toMatchObject({ exitCode: 2 })
    expect(sent()).toEqual([])
  })

  it('exits 1 when somebody else was faster', async () => {
    const url = await editServer(true)
    const argv = ['failures', 'edit', 'x', '--file', await fileWith(EDITED), '--yes']
    expect(await runCommand(argv, { url })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('it changed'),
    })
  })

  const editor = async () => {
    const script = join(folder, 'editor.sh')
    await writeFile(script, '#!/bin/sh\nsed -i \'s/"amount": 0/"amount": 12/\' "$2"\n')
    await chmod(script, 0o755)
    return { EDITOR: `${script} --wait` }
  }

  it('opens $EDITOR with the indented event, asks, and sends what was saved', async () => {
    const url = await editServer()
    const run = await runCommand(['failures', 'edit', 'x'], { url, env: await editor(), answers: ['y'] })
    expect(run.exitCode).toBe(0)
    expect(JSON.parse(sent()[0]?.body ?? '')).toEqual(JSON.parse(EDITED))
  })

  it('keeps what was written when it could not be sent', async () => {
    const url = await editServer(true)
    const { exitCode, stderr } = await runCommand(['failures', 'edit', 'x'], {
      url,
      env: await editor(),
      answers: ['y'],
    })
    expect(exitCode).toBe(1)
    const file = /Your edit is in (\S+):/.exec(stderr)?.[1] as string
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(EDITED))
    await rm(join(file, '..'), { recursive: true })
  })

  it('says so when the editor fails', async () => {
    const url = await editServer()
    const run = await runCommand(['failures', 'edit', 'x'], { url, env: { EDITOR: 'false' }, answers: [] })
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('nothing was changed') })
  })
})
