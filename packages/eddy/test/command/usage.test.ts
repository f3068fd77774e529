import { describe, expect, it } from 'vitest'
import { createProgram } from '../../src/command/program.ts'
import { fakeServer, problem } from './support/fake-server.ts'
import { runCommand } from './support/run-command.ts'

async function unreachable(): Promise<string> {
  const server = await fakeServer(() => undefined)
  await server.close()
  return server.url
}

describe('exit codes and errors', () => {
  it('exits 2 for wrong usage, with one line that says what is wrong', async () => {
    for (const argv of [
      ['nothing'],
      ['streams', 'nothing'],
      ['put'],
      ['put', 'orders'],
      ['tail', 'orders', '--limit', 'x'],
      ['failures', 'list', '--status', 'broken'],
      ['failures', 'list', '--since', 'yesterday'],
      ['streams', 'list', '--url', 'localhost'],
      ['start', '--port', '70000'],
    ]) {
      const { exitCode, stdout, stderr } = await runCommand(argv)
      expect(exitCode, argv.join(' ')).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^(error|eddy): /)
    }
  })

  it('exits 4 when no server answers, and says how to start one', async () => {
    const { exitCode, stderr } = await runCommand(['streams', 'list'], { url: await unreachable() })
    expect(exitCode).toBe(4)
    expect(stderr).toMatch(/^eddy: no answer from .*ECONNREFUSED.*eddy start\n$/)
  })

  it('exits 4 without the right token, 1 for other problems of the server', async () => {
    const server = await fakeServer(({ path }) =>
      path === '/v1/streams'
        ? problem(401, 'EDDY_UNAUTHORIZED', 'the token is wrong. Send the token as: X')
        : problem(409, 'EDDY_SHARD_STATE', 'closed'),
    )
    expect(await runCommand(['streams', 'list'], { url: server.url })).toMatchObject({
      exitCode: 4,
      stderr: 'eddy: the token is wrong. Give the token of the server with --token or EDDY_TOKEN.\n',
    })
    expect(await runCommand(['streams', 'split', 'a', 'b'], { url: server.url })).toMatchObject({
      exitCode: 1,
    })
    await server.close()
  })

  it('says so when the address is not an Eddy server’s', async () => {
    const server = await fakeServer(() => ({ text: '<html>hello</html>' }))
    const { exitCode, stderr } = await runCommand(['streams', 'list'], { url: server.url })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Is it an Eddy server?')
    await server.close()
  })

  it('prints errors as JSON on stderr with --json, usage errors too', async () => {
    const { stdout, stderr } = await runCommand(['streams', 'list', '--json'], { url: await unreachable() })
    expect(stdout).toBe('')
    expect(JSON.parse(stderr)).toMatchObject({ code: 'EDDY_CONNECTION', retryable: true })
    const usage = await runCommand(['put', '--json'])
    expect(usage.exitCode).toBe(2)
    expect(JSON.parse(usage.stderr)).toMatchObject({ code: 'EDDY_USAGE' })
  })

  it('names the commands of a group that was given none, as JSON too', async () => {
    const { exitCode, stderr } = await runCommand(['streams', '--json'])
    expect(exitCode).toBe(2)
    const { detail } = JSON.parse(stderr) as { detail: string }
    expect(detail).toMatch(/^expected a command after "eddy streams": list, show, .*eddy streams --help$/)
    const top = JSON.parse((await runCommand(['--json'])).stderr) as { detail: string }
    expect(top.detail).toContain('expected a command after "eddy": start, put, tail')
  })

  it('refuses a name and a password in the address without repeating them', async () => {
    for (const url of ['http://ada:secret@host:1', 'ada:secret@host:1']) {
      const { exitCode, stderr } = await runCommand(['streams', 'list'], { url })
      expect(exitCode).toBe(2)
      expect(stderr).toContain('--token or EDDY_TOKEN')
      expect(stderr).not.toContain('secret')
    }
  })

  it('shows control characters of foreign text instead of obeying them', async () => {
    const server = await fakeServer(() => problem(409, 'EDDY_SHARD_STATE', 'a\u001b[31mred\r\nforged'))
    const { stderr } = await runCommand(['streams', 'show', 'a'], { url: server.url })
    expect(stderr).toBe('eddy: a\\u001b[31mred forged\n')
    await server.close()
  })
})

describe('help', () => {
  it('exits 0 and shows examples for every command', async () => {
    const io = { env: {} } as never
    const program = await createProgram(io, { exitCode: 0 }, { json: false, argv: [] })
    const commands = program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [[command.name()]]
        : command.commands.map((inner) => [command.name(), inner.name()]),
    )
    expect(commands.length).toBeGreaterThan(20)
    for (const argv of commands.filter(([name]) => name !== 'help')) {
      const { exitCode, stdout } = await runCommand([...argv, '--help'])
      expect(exitCode, argv.join(' ')).toBe(0)
      expect(stdout, argv.join(' ')).toMatch(/Examples?:/)
      expect(stdout, argv.join(' ')).toContain('--json')
    }
  })

  it('prints the version', async () => {
    const { exitCode, stdout } = await runCommand(['--version'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
