import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where Debian keeps PostgreSQL's programs, one folder a version, off the PATH. */
const POSTGRES_VERSIONS = '/usr/lib/postgresql'

/** The program's path: on PATH, or where the system keeps servers. Undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return firstWith(name, [...folders, '/usr/local/sbin', '/usr/sbin', ...postgresFolders(POSTGRES_VERSIONS)])
}

/** The program's path within a folder that Debian's packages were unpacked to. */
export function findUnpacked(name: string, root: string): string | undefined {
  const versions = postgresFolders(join(root, POSTGRES_VERSIONS))
  return firstWith(name, [join(root, 'usr/bin'), join(root, 'usr/sbin'), ...versions])
}

function firstWith(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The newest version's first. */
function postgresFolders(versions: string): string[] {
  try {
    return readdirSync(versions)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(versions, version, 'bin'))
  } catch {
    return []
  }
}
