import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What a build, an install or a run leaves behind; the same as in .gitignore. */
const LEFT_BEHIND = new Set(['node_modules', 'dist', '.git', '.eddy', 'coverage'])

/** Every file of the repository below `folder`, as paths from the root with forward slashes, sorted. */
export function filesBelow(folder = '.'): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !LEFT_BEHIND.has(entry.name) && !/\.(tsbuildinfo|log)$/.test(entry.name))
    .flatMap((entry) => {
      const path = relative(ROOT, join(ROOT, folder, entry.name))
        .split(sep)
        .join('/')
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
    .sort()
}

/** The names of the folders directly in `folder`. */
export function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !LEFT_BEHIND.has(entry.name))
    .map((entry) => entry.name)
    .sort()
}

/** Every folder below `folder`, as paths from it: `failures`, `format`, `failures/x`. */
export function foldersBelow(folder: string): string[] {
  return foldersIn(folder).flatMap((name) => [
    name,
    ...foldersBelow(`${folder}/${name}`).map((below) => `${name}/${below}`),
  ])
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** A JSON file of the repository. */
export function jsonOf<T>(path: string): T {
  return JSON.parse(textOf(path)) as T
}

/** A source text without its comments, each replaced by as many line ends as it had. Good enough to search in. */
export function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
}

/** What a source text imports or re-exports from, statically or dynamically. Text that ends in `from "${…}"` is no import. */
export function importsOf(source: string): string[] {
  const code = withoutComments(source)
  const found = code.matchAll(/\bfrom\s+['"]([^'"\n$]+)['"]|\bimport\s*\(?\s*['"]([^'"\n$]+)['"]/g)
  return [...found].map((match) => match[1] ?? match[2] ?? '')
}
