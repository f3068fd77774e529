import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageFolder } from '../../package-folder.ts'
import { UsageError } from '../command-errors.ts'

const PACKAGE = '@eddy/cdk'

/** What `eddy synth` uses of `@eddy/cdk`. */
export interface Constructs {
  synth(options: {
    readonly entry: string
    readonly name: string
    readonly outDir: string
    readonly streams?: Readonly<Record<string, string>>
    readonly http?: string
    readonly httpAuth?: string
    readonly patientMappings?: boolean
  }): {
    readonly template: string
    readonly stack: string
    readonly resources: Readonly<Record<string, number>>
  }
}

/**
 * The constructs, which only who deploys needs: they stand on aws-cdk-lib, of 160 MB. Looked for where the command runs,
 * beside the application file, and beside this package.
 *
 * @throws UsageError with the command that installs them
 */
export async function loadConstructs(entry: string): Promise<Constructs> {
  const places = [
    join(process.cwd(), 'package.json'),
    join(dirname(resolve(entry)), 'package.json'),
    new URL('package.json', packageFolder),
  ]
  for (const place of places) {
    let path: string
    try {
      path = createRequire(place).resolve(PACKAGE)
    } catch {
      continue
    }
    return await imported(path)
  }
  throw notInstalled(`${PACKAGE}, which is not installed`)
}

async function imported(path: string): Promise<Constructs> {
  try {
    return (await import(pathToFileURL(path).href)) as Constructs
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = /^Cannot find package '([^']+)'/.exec(message)?.[1]
    if (code !== 'ERR_MODULE_NOT_FOUND' || missing === undefined) throw error
    throw notInstalled(`${missing}, which is not installed beside ${PACKAGE}`, { cause: error })
  }
}

function notInstalled(what: string, options?: ErrorOptions): UsageError {
  const command = `npm install --save-dev ${PACKAGE} aws-cdk-lib constructs`
  return new UsageError(`eddy synth needs ${what}. Install it with: ${command}`, {}, options)
}
