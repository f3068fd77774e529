import { describe, expect, it } from 'vitest'
import { filesBelow, jsonOf, textOf, withoutComments } from './support/repository.ts'

const MAX_FILE_LINES = 400
const MAX_MEDIAN_LINES = 99

const CODE = filesBelow().filter((file) => /\.(ts|mts|js|mjs)$/.test(file))
const SOURCES = CODE.filter((file) => /^packages\/[^/]+\/src\//.test(file))

/** Time and chance come from `engine.clock`, output from a Logger: else no simulation could repeat a run. */
const OUTSIDE_WORLD: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /(?<![.\w])Date\(\s*\)/,
  /\bMath\.random\b/,
  /(?<![.\w#])(setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
  /(?<![.\w#])(performance|console|crypto|globalThis)\./,
  /(?<![.\w#])process\.(argv|cwd|emit|env|exit|hrtime|memoryUsage|nextTick|on|once|pid|platform|std)/,
  /(?<![.\w#])Buffer\b/,
]

/** The webhook sink posts with the platform's own `fetch` unless it is handed another. */
const OUTSIDE_BY_CHOICE = new Set(['packages/core/src/observe/webhook-sink.ts'])

const LOCKS = [
  'package-lock.json',
  'clients/package-lock.json',
  'packages/aws/emulators/package-lock.json',
  'packages/cdk/package-lock.json',
] as const

describe('Tidy', () => {
  it('core reads no clock, draws no chance, sets no timer and prints nothing', () => {
    const wrong = SOURCES.filter(
      (file) => file.startsWith('packages/core/') && !OUTSIDE_BY_CHOICE.has(file),
    ).flatMap((file) => linesWith(file, OUTSIDE_WORLD))
    expect(wrong).toEqual([])
  })

  it('packages export by name: no `export *`, no default exports', () => {
    const wrong = SOURCES.flatMap((file) =>
      linesWith(file, [/^\s*export\s+\*/, /^\s*export\s+default\b/, /^\s*export\s*\{[^}]*\bas default\b/]),
    )
    expect(wrong).toEqual([])
  })

  it('files are named in kebab-case, none of them `utils`', () => {
    const odd = SOURCES.filter((file) => {
      const name = file.slice(file.lastIndexOf('/') + 1)
      return !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name) || /^(utils?|helpers?|misc|common)\.ts$/.test(name)
    })
    expect(odd).toEqual([])
  })

  it(`no file of code has more than ${MAX_FILE_LINES} lines; the median is under 100`, () => {
    const lengths = CODE.map((file) => ({ file, lines: linesOf(file).length }))
    expect(lengths.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([])

    const sources = lengths.filter(({ file }) => SOURCES.includes(file)).map(({ lines }) => lines)
    const all = lengths.map(({ lines }) => lines)
    console.log(`lines a file: median ${median(sources)} in packages/*/src, ${median(all)} in all code`)
    expect(median(sources)).toBeLessThanOrEqual(MAX_MEDIAN_LINES)
    expect(median(all)).toBeLessThanOrEqual(MAX_MEDIAN_LINES)
  })

  it('nothing names a place on the machine it was written on, nor a package registry', () => {
    const registry = registryHost()
    const places = [
      /(?<![\w.~<>-])\/(work|root|home|Users)\/\w/,
      /\bregistry\.(npmjs|yarnpkg)\b/,
      /\b(unpkg|jsr)\.(com|io)\b/,
    ]
    const wrong = filesBelow()
      .filter((file) => !/\.(png|ico|gz)$/.test(file))
      .flatMap((file) =>
        linesOf(file).flatMap((line, index) =>
          places.some((place) => place.test(line)) || (registry !== undefined && line.includes(registry))
            ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`]
            : [],
        ),
      )
    expect(wrong).toEqual([])
  })

  it.each(LOCKS)('%s names no place to fetch from, so that any registry serves', (lock) => {
    expect(textOf(lock)).not.toMatch(/"resolved":\s*"https?:/)
  })

  it.each(LOCKS)('%s has the packages for every platform, or `npm ci` refuses it', (lock) => {
    // scripts/complete-lock.mjs adds those of the root that a registry left out.
    const { packages } = jsonOf<{
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }>(lock)
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
    expect(missing).toEqual([])
  })

  it('no test is skipped or singled out, and nothing is left to do', () => {
    const wrong = CODE.flatMap((file) =>
      linesWith(file, [/\b(it|test|describe)\.(only|todo)\b/]).concat(
        linesOf(file).some((line) => /\b(TODO|FIXME|XXX)\b[: (]/.test(line)) && file !== 'test/tidy.test.ts'
          ? [`${file}: something is left to do`]
          : [],
      ),
    )
    expect(wrong).toEqual([])
  })
})

function linesOf(file: string): string[] {
  const lines = textOf(file).split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The lines of code in `file` that match one of `patterns`, with their numbers. */
function linesWith(file: string, patterns: readonly RegExp[]): string[] {
  return withoutComments(textOf(file))
    .split('\n')
    .flatMap((line, index) =>
      patterns.some((pattern) => pattern.test(line)) ? [`${file}:${index + 1} ${line.trim()}`] : [],
    )
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** The host of the registry that npm uses here, when npm runs the tests and it is a host of its own. */
function registryHost(): string | undefined {
  const registry = process.env.npm_config_registry
  if (registry === undefined || !URL.canParse(registry)) return undefined
  const { hostname } = new URL(registry)
  return hostname === 'localhost' || hostname === '127.0.0.1' ? undefined : hostname
}
