import { dirname, join, relative } from 'node:path/posix'
import { describe, expect, it } from 'vitest'
import { filesBelow, foldersIn, importsOf, jsonOf, textOf } from './support/repository.ts'

interface Edges {
  /** Folders of the repository whose code it may use at run time. */
  readonly uses: readonly string[]
  /** Packages from the registry it may use at run time; why each, docs/ARCHITECTURE.md says. */
  readonly external: readonly string[]
  /** Packages from the registry that it exists to measure: for development alone. */
  readonly measured?: readonly string[]
  /**
   * It has a lock file of its own, so what it uses of this repository are peers: nothing could install them from a
   * registry. Besides those, these are its peers.
   */
  readonly peers?: readonly string[]
}

/**
 * The edge table: who may depend on whom. A new edge is a decision: change it here, say why in
 * docs/ARCHITECTURE.md, and never let it close a circle.
 */
const EDGES: Readonly<Record<string, Edges>> = {
  benchmarks: {
    uses: ['packages/aws', 'packages/core', 'packages/embedded', 'packages/eddy'],
    external: [],
    measured: [
      '@aws-sdk/client-kinesis',
      '@nats-io/jetstream',
      '@nats-io/transport-node',
      'bullmq',
      'esbuild',
      'ioredis',
      'kinesalite',
      'pg-boss',
      'undici',
    ],
  },
  'packages/core': { uses: [], external: ['@standard-schema/spec'] },
  'packages/embedded': { uses: ['packages/core'], external: ['lmdb'] },
  'packages/server': { uses: ['packages/core'], external: ['@hono/node-server', 'cborg', 'hono', 'pino'] },
  'packages/testing': { uses: ['packages/core'], external: [] },
  'packages/aws': { uses: ['packages/core'], external: [] },
  'packages/cdk': {
    uses: ['packages/aws', 'packages/core', 'packages/eddy'],
    external: ['esbuild'],
    peers: ['@aws-sdk/client-lambda', 'aws-cdk-lib', 'constructs'],
  },
  'packages/eddy': {
    uses: ['packages/aws', 'packages/core', 'packages/embedded', 'packages/server'],
    external: ['commander', 'diff', 'jiti'],
  },
  'examples/claps': { uses: ['packages/eddy'], external: ['lmdb'] },
  'examples/git-history': {
    uses: ['packages/eddy', 'packages/server'],
    external: ['@standard-schema/spec', 'lmdb'],
  },
  'examples/retry-demo': { uses: ['packages/eddy', 'packages/server'], external: [] },
}

/** What tests may use besides: never in `dependencies`. Core's own tests stay without the testing package. */
const TEST_ONLY = new Set(['@eddy/testing', 'eddy', '@eddy/core', '@eddy/embedded', '@eddy/server'])

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const manifestOf = (folder: string) => jsonOf<Manifest>(`${folder}/package.json`)
const nameOf = (folder: string) => manifestOf(folder).name

describe('Boundaries of the packages', () => {
  it('every package and every example is in the edge table', () => {
    const folders = ['examples', 'packages'].flatMap((parent) =>
      foldersIn(parent).map((name) => `${parent}/${name}`),
    )
    folders.unshift('benchmarks')
    expect(Object.keys(EDGES).sort()).toEqual(folders)
  })

  it('the edge table has no circle', () => {
    const reach = (folder: string, path: readonly string[]): void => {
      expect(path, `circle: ${[...path, folder].join(' → ')}`).not.toContain(folder)
      for (const next of EDGES[folder]?.uses ?? []) reach(next, [...path, folder])
    }
    for (const folder of Object.keys(EDGES)) reach(folder, [])
  })

  for (const [folder, { uses, external, measured = [], peers }] of Object.entries(EDGES)) {
    describe(folder, () => {
      it('declares exactly the dependencies of the table', () => {
        const declared = Object.keys(manifestOf(folder).dependencies ?? {}).sort()
        const used = uses.map(nameOf)
        expect(declared).toEqual([...(peers === undefined ? used : []), ...external].sort())
        if (peers !== undefined)
          expect(Object.keys(manifestOf(folder).peerDependencies ?? {}).sort()).toEqual(
            [...used, ...peers].sort(),
          )
        if (measured.length > 0)
          expect(Object.keys(manifestOf(folder).devDependencies ?? {}).sort()).toEqual([...measured].sort())
      })

      it('pins every dependency to one version', () => {
        const { dependencies = {}, devDependencies = {} } = manifestOf(folder)
        for (const version of [...Object.values(dependencies), ...Object.values(devDependencies)])
          expect(version).toMatch(/^\d+\.\d+\.\d+$/)
      })

      it('refers in its tsconfig to exactly the packages of the table', () => {
        const { references } = jsonOf<{ references: { path: string }[] }>(`${folder}/tsconfig.json`)
        expect(references.map(({ path }) => join(folder, path)).sort()).toEqual([...uses].sort())
      })

      it('imports in src only what the table allows', () => {
        const allowed = new Set([...uses.map(nameOf), ...external, ...measured])
        const wrong = filesBelow(`${folder}/src`).flatMap((file) =>
          importsOf(textOf(file))
            .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
            .filter((name) => !allowed.has(packageOf(name)) && !isOptionalPeer(folder, packageOf(name)))
            .map((name) => `${file} imports ${name}`),
        )
        expect(wrong).toEqual([])
      })

      it('imports no file of another package by a path', () => {
        const wrong = filesBelow(folder)
          .filter((file) => /\.(ts|mjs|js)$/.test(file))
          .flatMap((file) =>
            importsOf(textOf(file))
              .filter((name) => name.startsWith('.'))
              .map((name) => join(dirname(file), name))
              .filter((target) => relative(folder, target).startsWith('..'))
              .map((target) => `${file} imports ${target}`),
          )
        expect(wrong).toEqual([])
      })

      it('has its tests checked by the compiler', () => {
        const tests = filesBelow(folder).filter((file) => file.startsWith(`${folder}/test/`))
        if (tests.length > 0) expect(tests).toContain(`${folder}/test/tsconfig.json`)
      })
    })
  }

  it('the tests of all are checked together, but for those that have an install of their own', () => {
    const checked = jsonOf<{ references: { path: string }[] }>('tsconfig.tests.json').references
    const wanted = Object.keys(EDGES)
      .filter((folder) => EDGES[folder]?.peers === undefined)
      .map((folder) => `${folder}/test`)
      .filter((folder) => filesBelow().includes(`${folder}/tsconfig.json`))
    expect(checked.map(({ path }) => path).sort()).toEqual(['clients/test', 'test', ...wanted].sort())
  })

  it("core's own tests use no other package of this repository", () => {
    const wrong = filesBelow('packages/core/test').flatMap((file) =>
      importsOf(textOf(file))
        .filter((name) => TEST_ONLY.has(packageOf(name)) && name !== '@eddy/core')
        .map((name) => `${file} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  it('core runs anywhere: its sources import no module of Node', () => {
    const wrong = filesBelow('packages/core/src').flatMap((file) =>
      importsOf(textOf(file))
        .filter((name) => !name.startsWith('.') && name !== '@standard-schema/spec')
        .map((name) => `${file} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })
})

/** `@scope/name/deep` → `@scope/name`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The contract suites of the testing package stand on the user's own vitest. */
function isOptionalPeer(folder: string, name: string): boolean {
  const { peerDependencies = {} } = jsonOf<{ peerDependencies?: Record<string, string> }>(
    `${folder}/package.json`,
  )
  return name in peerDependencies
}
