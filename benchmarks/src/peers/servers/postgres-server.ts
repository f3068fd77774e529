import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Place, Unavailable } from '../peer.ts'
import { DebianPackages, fetched, libraryPath } from './debian-packages.ts'
import { findProgram, findUnpacked } from './find-program.ts'
import { freePort, ServerProcess } from './server-process.ts'

const run = promisify(execFile)
const INIT_TIMEOUT_MS = 60_000
/** Whom root becomes, the first that exists: PostgreSQL refuses to run as root. */
const OTHER_USERS = ['postgres', 'nobody']

/** Its superuser. Everybody on loopback is trusted: the data are worthless and gone in a minute. */
export const POSTGRES_USER = 'bench'

interface Programs {
  readonly initdb: string
  readonly postgres: string
  readonly env: Readonly<Record<string, string>>
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL whose every commit is on the disk before it is answered. */
export async function startPostgres({ dir, programsDir }: Place): Promise<ServerProcess> {
  const programs = await postgresPrograms(programsDir)
  const user = process.getuid?.() === 0 ? otherUser() : undefined
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  if (user !== undefined) {
    chownSync(dir, user.uid, user.gid)
    chownSync(data, user.uid, user.gid)
    // The benchmark's own folder: nobody else could reach what is below it.
    chmodSync(dirname(dir), 0o711)
  }
  await initialise(programs, data, user)
  const port = await freePort()
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // As one who wants it fast has them: memory, no checkpoint every few seconds, no compiling of short queries.
    shared_buffers: '256MB',
    max_wal_size: '4GB',
    jit: 'off',
  }
  const options = {
    program: programs.postgres,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: programs.env,
    cwd: dir,
    logFile: join(dir, 'postgres.txt'),
    ...(user !== undefined && { user }),
    stopSignal: 'SIGINT' as const,
  }
  return await ServerProcess.start(port, options, 'ready to accept connections')
}

async function initialise({ initdb, env }: Programs, data: string, user: User | undefined): Promise<void> {
  const args = [
    '-D',
    data,
    '-U',
    POSTGRES_USER,
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-instructions',
  ]
  const options = { env: { ...process.env, ...env }, cwd: data, timeout: INIT_TIMEOUT_MS, ...user }
  try {
    await run(initdb, args, options)
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string }
    throw new Unavailable(`initdb failed: ${(stderr ?? String(error)).trim().slice(-300)}`)
  }
}

async function postgresPrograms(programsDir: string): Promise<Programs> {
  const found = findProgram('initdb')
  if (found !== undefined) return { ...pairOf(found), env: {} }
  const root = await fetched('postgres', async () => {
    const packages = await DebianPackages.ofSystem(programsDir)
    return await packages.unpack('postgresql', 'with dependencies')
  })
  const initdb = findUnpacked('initdb', root)
  if (initdb === undefined) throw new Unavailable("Debian's package postgresql brings no initdb")
  return { ...pairOf(initdb), env: { LD_LIBRARY_PATH: libraryPath(root) } }
}

/** One version's programs lie beside each other; what PATH has under their names may be links. */
function pairOf(initdb: string): { readonly initdb: string; readonly postgres: string } {
  const real = realpathSync(initdb)
  return { initdb: real, postgres: join(dirname(real), 'postgres') }
}

function otherUser(): User {
  const users = new Map<string, User>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid, gid] = line.split(':')
    users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  const name = OTHER_USERS.find((candidate) => users.has(candidate))
  if (name === undefined)
    throw new Unavailable(
      `PostgreSQL refuses to run as root, and there is no user ${OTHER_USERS.join(' or ')}`,
    )
  return users.get(name) as User
}
