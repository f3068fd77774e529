import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/**
 * Writes the JavaScript of the packages that run in production, a file for each of their entries instead of one for each
 * module: Node takes half a millisecond to load a module however small it is, and a start loaded 470 of them. `tsc -b`
 * writes the types beside it. Other packages stay imports, so a class or a symbol exists once in a process, whoever
 * imports it.
 *
 *   node scripts/bundle.mjs
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Entries besides the exports of a package: what its own files start by a path. */
const PACKAGES = {
  aws: [],
  core: [],
  eddy: ['command/main', 'threads/thread-main'],
  embedded: [],
  server: [],
}

/**
 * Files that are as they should be are left alone, so processes that run from them notice nothing.
 *
 * @param {object} [options]
 * @param {string} [options.root] folder that has `packages/`; default: this repository
 * @throws when a class would get another name, which errors would show
 */
export async function bundlePackages({ root = ROOT } = {}) {
  const packages = join(root, 'packages')
  // Copies of the repository may have fewer: mutations/ makes some.
  const names = (await readdir(packages)).filter((name) => name in PACKAGES)
  await Promise.all(names.map((name) => bundlePackage(join(packages, name), PACKAGES[name])))
}

/** Tests that start processes run what is built: for vitest's `globalSetup`. */
export const setup = () => bundlePackages()

async function bundlePackage(folder, innerEntries) {
  const source = join(folder, 'src')
  const entries = [...(await exportedEntries(folder)), ...innerEntries]
  const bundle = await rolldown({
    cwd: folder,
    input: Object.fromEntries(entries.map((entry) => [entry, join(source, `${entry}.ts`)])),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith(source),
    logLevel: 'warn',
    onLog(_level, { message }) {
      throw new Error(`${folder}: ${message}`)
    },
  })
  try {
    const { output } = await bundle.generate({
      format: 'esm',
      sourcemap: true,
      comments: { legal: true, annotation: false, jsdoc: false },
      entryFileNames: '[name].js',
      // Without a hash: a process that runs while this is built again finds the parts that it has not loaded yet.
      chunkFileNames: 'parts/[name].js',
    })
    const files = new Map(output.map((part) => [part.fileName, part.code ?? part.source]))
    for (const [name, text] of files) refuseRenamedClasses(name, text)
    await place(join(folder, 'dist'), files)
  } finally {
    await bundle.close()
  }
}

/** `src/` and `.ts` taken away: package.json names for each export its source and where its JavaScript has to be. */
async function exportedEntries(folder) {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  return Object.values(manifest.exports).map((target) => {
    const entry = /^\.\/src\/(.+)\.ts$/.exec(target['@eddy/source'])?.[1]
    if (target.default !== `./dist/${entry}.js`)
      throw new Error(`${folder}/package.json: expected ./dist/${entry}.js, found ${target.default}`)
    return entry
  })
}

/** An error's name is its class's. Two classes of one name in a package would make one of them `Name$1`. */
function refuseRenamedClasses(name, text) {
  const renamed = name.endsWith('.js') && /\bclass (\w+)\$\d+\b|\b(\w+)\$\d+ = class\b/.exec(text)
  if (renamed) throw new Error(`${name}: two classes are called ${renamed[1] ?? renamed[2]}; rename one`)
}

/** Each file whole or not at all; JavaScript of earlier builds is removed. */
async function place(dist, files) {
  for (const [name, text] of files) {
    const path = join(dist, name)
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue
    await mkdir(dirname(path), { recursive: true })
    const unfinished = `${path}.${process.pid}.new`
    await writeFile(unfinished, text)
    await rename(unfinished, path)
  }
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(dist, path).split(sep).join('/')
    if (entry.isFile() && /\.js(\.map)?$/.test(name) && !files.has(name)) await rm(path, { force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundlePackages()
