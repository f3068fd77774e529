import { readFileSync } from 'node:fs'

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>
}

/** A library that is measured here, and its version: `bullmq 6.7.0`. */
export function pinnedVersion(name: string): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return `${name} ${(JSON.parse(text) as Manifest).devDependencies[name]}`
}
