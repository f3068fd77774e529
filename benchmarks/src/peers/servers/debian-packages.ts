import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Unavailable } from '../peer.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
const MIRROR = 'http://deb.debian.org/debian'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Debian's packages of one release, fetched with its own tools, unpacked into a folder: nothing is installed. */
export class DebianPackages {
  readonly #root: string
  readonly #options: readonly string[]

  private constructor(root: string, options: readonly string[]) {
    this.#root = root
    this.#options = options
  }

  /**
   * With the package lists that the system has; where it has none, with lists fetched into `dir`.
   *
   * @throws Unavailable where there are no lists and none can be fetched
   */
  static async ofSystem(dir: string): Promise<DebianPackages> {
    if ((await candidate('redis-server', [])) !== undefined) return new DebianPackages(join(dir, 'root'), [])
    return await DebianPackages.ofRelease(dir, systemRelease())
  }

  /** With a release's lists, fetched into `dir`. @throws Unavailable where they cannot be fetched */
  static async ofRelease(dir: string, release: string): Promise<DebianPackages> {
    const state = join(dir, 'apt')
    mkdirSync(join(state, 'lists/partial'), { recursive: true })
    mkdirSync(join(state, 'archives/partial'), { recursive: true })
    writeFileSync(join(state, 'sources.list'), `deb [signed-by=${KEYRING}] ${MIRROR} ${release} main\n`)
    const options = Object.entries({
      'Dir::State': state,
      'Dir::State::status': '/var/lib/dpkg/status',
      'Dir::Cache': state,
      'Dir::Etc::sourcelist': join(state, 'sources.list'),
      'Dir::Etc::sourceparts': join(state, 'no-others'),
      // Only what is needed: descriptions and translations are larger than the lists.
      'Acquire::Languages': 'none',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    await tool('apt-get', [...options, 'update', '-q'])
    return new DebianPackages(join(dir, 'root'), options)
  }

  /**
   * Unpacks the package, and what it depends on as far as the system does not have it.
   *
   * @returns the folder that stands for the file system's root
   * @throws Unavailable when a package does not exist or cannot be fetched
   */
  async unpack(name: string, dependencies: 'with dependencies' | 'alone'): Promise<string> {
    if ((await candidate(name, this.#options)) === undefined)
      throw new Unavailable(`Debian's package ${name} is not in the lists that apt-get has here`)
    const names = dependencies === 'alone' ? [name] : await this.#missing(name)
    const debs = join(this.#root, '../debs', name)
    mkdirSync(debs, { recursive: true })
    mkdirSync(this.#root, { recursive: true })
    await tool('apt-get', [...this.#options, 'download', '-q', ...names], debs)
    for (const file of readdirSync(debs)) await tool('dpkg-deb', ['-x', join(debs, file), this.#root])
    return this.#root
  }

  /** What an installation would add, without doing it. */
  async #missing(name: string): Promise<string[]> {
    const plan = ['install', '--simulate', '--no-install-recommends', '-q', '-y', name]
    const text = await tool('apt-get', [...this.#options, ...plan])
    const names = [...text.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] as string)
    return names.length > 0 ? names : [name]
  }
}

/** Names the program in what went wrong with fetching it. @throws Unavailable */
export async function fetched<T>(program: string, fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch()
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    throw new Unavailable(`${program} is not on PATH and was not fetched: ${error.message}. Install it`)
  }
}

/** Where the unpacked libraries lie, for `LD_LIBRARY_PATH`. */
export function libraryPath(root: string): string {
  return ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .flatMap((folder) => [folder, ...foldersNamedForProcessor(folder)])
    .join(':')
}

function foldersNamedForProcessor(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.includes('-linux-'))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

async function candidate(name: string, options: readonly string[]): Promise<string | undefined> {
  const text = await tool('apt-cache', [...options, 'policy', name])
  const version = /^ {2}Candidate: (.*)$/m.exec(text)?.[1]
  return version === '(none)' ? undefined : version
}

function systemRelease(): string {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (release === undefined) throw new Unavailable('/etc/os-release names no release of Debian')
  return release
}

async function tool(program: string, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const options = {
      cwd,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, LC_ALL: 'C' },
    }
    return (await run(program, args, options)).stdout
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string }
    if (code === 'ENOENT')
      throw new Unavailable(`there is no ${program} on this machine to fetch packages with`)
    throw new Unavailable(`${program} failed: ${(stderr ?? String(error)).trim().split('\n').at(-1)}`)
  }
}
