import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundlePackages } from '../bundle.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What the simulation is made of, and the functions that play on it. */
const PACKAGES = ['aws', 'core', 'testing']
/** Vitest's configuration, and what that calls before the tests. */
const FOR_TESTS = ['vitest.config.ts', 'scripts/bundle.mjs']
const CORE = 'packages/core/dist/index.js'
const BUILD_TIMEOUT_MS = 120_000
const run = promisify(execFile)

/** A copy of the sources, built, that mutated copies are made from. All of it is under one temporary folder. */
export class Workspaces {
  #root = ''

  async open() {
    this.#root = await mkdtemp(join(tmpdir(), 'eddy-mutations-'))
    const base = join(this.#root, 'base')
    await mkdir(join(base, 'packages'), { recursive: true })
    await cp(join(ROOT, 'tsconfig.base.json'), join(base, 'tsconfig.base.json'))
    for (const name of PACKAGES) {
      for (const part of ['src', 'package.json', 'tsconfig.json'])
        await cp(join(ROOT, 'packages', name, part), join(base, 'packages', name, part), { recursive: true })
    }
    for (const file of FOR_TESTS) await cp(join(ROOT, file), join(base, file))
    for (const name of PACKAGES)
      await cp(join(ROOT, 'packages', name, 'test'), join(base, 'packages', name, 'test'), {
        recursive: true,
      })
    await linkModules(base)
    await tsc(base, ['-b', 'packages/testing'])
    await bundlePackages({ root: base })
  }

  async close() {
    if (this.#root !== '') await rm(this.#root, { recursive: true, force: true })
  }

  /** The folder of the code as it is. */
  get unchanged() {
    return join(this.#root, 'base')
  }

  /**
   * A copy with the mutation in it, compiled. Type errors do not count: a mutation may well make some.
   * @param {import('./list.mjs').Mutation} mutation
   * @throws when an edit's text is not in its file exactly once, or nothing came of it
   */
  async mutated(mutation) {
    const folder = join(this.#root, mutation.id)
    await cp(join(this.unchanged, 'packages'), join(folder, 'packages'), { recursive: true })
    for (const file of ['tsconfig.base.json', ...FOR_TESTS])
      await cp(join(this.unchanged, file), join(folder, file))
    await linkModules(folder)
    for (const edit of [mutation, ...(mutation.also ?? [])]) await apply(folder, mutation.id, edit)
    await bundlePackages({ root: folder })
    const [before, after] = await Promise.all(
      [this.unchanged, folder].map((place) => readFile(join(place, CORE), 'utf8')),
    )
    if (before === after) throw new Error(`${mutation.id}: what is built of it is the same as before`)
    // Code that cannot even be loaded would pass for caught.
    await run(process.execPath, ['--check', join(folder, CORE)], { timeout: BUILD_TIMEOUT_MS })
    return folder
  }
}

/** @param {string} folder @param {string} id @param {import('./list.mjs').Edit} edit */
async function apply(folder, id, { file, find, replace }) {
  const path = join(folder, file)
  const parts = (await readFile(path, 'utf8')).split(find)
  if (parts.length !== 2)
    throw new Error(`${id}: ${file} must hold exactly once, not ${parts.length - 1} times:\n${find}`)
  await writeFile(path, parts.join(replace))
}

/** The repository's modules, but its own packages: those are the copy's. */
async function linkModules(folder) {
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@eddy'), { recursive: true })
  for (const entry of await readdir(join(ROOT, 'node_modules'))) {
    if (entry !== '@eddy' && !entry.startsWith('.'))
      await symlink(join(ROOT, 'node_modules', entry), join(modules, entry))
  }
  for (const name of PACKAGES) await symlink(join('..', '..', 'packages', name), join(modules, '@eddy', name))
}

/** @throws with the compiler's words */
async function tsc(folder, args) {
  const bin = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [bin, ...args], { cwd: folder, timeout: BUILD_TIMEOUT_MS }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`)
  })
}
