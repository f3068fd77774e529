import { readFileSync } from 'node:fs'
import { packageFolder } from '../package-folder.ts'

/** This package's version, as in its package.json. */
export const version: string = (
  JSON.parse(readFileSync(new URL('package.json', packageFolder), 'utf8')) as { version: string }
).version
