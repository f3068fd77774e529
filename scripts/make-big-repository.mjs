// Makes a Git repository with a long and awkward history, in seconds, through `git fast-import`.
//
//   node scripts/make-big-repository.mjs DIR [--changes 101000] [--seed 1]
//
// The same seed and count give the same commits. The history has additions, modifications, deletions and additions
// again, a few paths that change in every other commit, names with spaces, quotes, newlines, Unicode, bytes that are
// not UTF-8 and more than 256 characters, a path that was a file and then a folder, several authors (one not in
// UTF-8), empty commits, commits with clocks gone wrong, and merges of side branches.
// Prints one line of JSON: {"directory","commits","merges","changes","paths","seconds"}.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { changes: { type: 'string', default: '101000' }, seed: { type: 'string', default: '1' } },
})
const [directory] = positionals
const wanted = Number(values.changes)
if (directory === undefined || !Number.isSafeInteger(wanted) || wanted < 1 || wanted > 10_000_000) {
  console.error('usage: make-big-repository DIR [--changes N] [--seed N]')
  process.exit(2)
}
mkdirSync(directory, { recursive: true })
if (readdirSync(directory).length > 0) {
  console.error(`${directory} is not empty`)
  process.exit(1)
}

const startedAt = process.hrtime.bigint()
const random = mulberry32(Number(values.seed))
const gitEnv = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }

const authors = [
  'Ada Lovelace <ada@example.org>',
  'Åsa Öberg <asa@example.org>',
  '山田 太郎 <taro@example.org>',
  'Mary O\'Neil "M" <mary@example.org>',
  'Émile <emile@example.org>',
  'bot[ci] <ci+bot@example.org>',
].map((text) => Buffer.from(text))
authors.push(Buffer.concat([Buffer.from('J'), Buffer.from([0xf6]), Buffer.from('rg <joerg@example.org>')]))

const paths = makePaths(Math.max(20, Math.round(wanted / 12)))
// A third of all changes falls on the hot paths: long runs of one key.
const hot = paths.slice(0, Math.max(3, Math.round(paths.length / 400)))

const alive = new Set()
const touched = new Set()
let [changes, commits, merges, marks, clock, edits] = [0, 0, 0, 0, 1_600_000_000, 0]
let main
let out

await fastImport(function* () {
  while (changes < wanted) {
    const roll = random()
    if (main !== undefined && roll < 0.02) yield* sideBranch()
    else yield* ordinaryCommit(roll)
  }
})

const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
console.log(
  JSON.stringify({
    directory,
    commits,
    merges,
    changes,
    paths: touched.size,
    seconds: Number(seconds.toFixed(2)),
  }),
)

function* ordinaryCommit(roll) {
  // One commit in fifty changes nothing.
  const size = roll > 0.98 ? 0 : Math.min(wanted - changes, 1 + Math.floor(random() ** 3 * 60))
  const ops = []
  const used = new Set()
  for (let i = 0; i < size; i++) {
    const path = pick(random() < 0.33 ? hot : paths)
    if (used.has(path)) continue
    used.add(path)
    ops.push(random() < 0.08 && alive.has(path) ? remove(path) : write(path))
  }
  turnFileIntoFolder(ops)
  changes += ops.length
  main = ++marks
  yield commit(main, 'refs/heads/main', [], ops)
}

/** Two commits on a branch of their own folder, one on main meanwhile, then a merge that holds all three. */
function* sideBranch() {
  const base = main
  const name = `refs/heads/side-${merges}`
  const first = `side/${merges}/first`
  const second = `side/${merges}/second file`
  const contents = [first, second].map((path) => write(path))
  const one = ++marks
  yield commit(one, name, [base], [contents[0]])
  const two = ++marks
  yield commit(two, name, [one], [contents[1]])
  main = ++marks
  const path = pick(paths)
  yield commit(main, 'refs/heads/main', [base], [write(path)])
  changes += 3
  merges++
  const merge = ++marks
  yield commit(merge, 'refs/heads/main', [main, two], contents)
  main = merge
  yield Buffer.from(`reset ${name}\nfrom 0000000000000000000000000000000000000000\n\n`)
}

function turnFileIntoFolder(ops) {
  if (commits === 5) ops.push(write('was-a-file'))
  if (commits === 15 && alive.has('was-a-file')) ops.push(remove('was-a-file'))
  if (commits === 16) ops.push(write('was-a-file/now a folder'))
}

function commit(mark, branch, parents, ops) {
  commits++
  // Now and then a clock that runs ahead or behind.
  clock += 1 + Math.floor(random() * 60)
  const skew = random() < 0.01 ? Math.floor((random() - 0.5) * 86_400) : 0
  const when = Buffer.from(` ${clock + skew} +0${Math.floor(random() * 9)}00\n`)
  const who = pick(authors)
  const message = Buffer.from(`Commit ${commits}\n\nwith a second paragraph\n`)
  const from = parents.map((parent, i) => `${i === 0 ? 'from' : 'merge'} :${parent}\n`).join('')
  return Buffer.concat([
    Buffer.from(`commit ${branch}\nmark :${mark}\nauthor `),
    who,
    when,
    Buffer.from('committer '),
    who,
    when,
    Buffer.from(`data ${message.length}\n`),
    message,
    Buffer.from(from),
    ...ops,
    Buffer.from('\n'),
  ])
}

function write(path) {
  alive.add(path)
  touched.add(path)
  const content = `edit ${++edits}\n`
  return Buffer.concat([
    Buffer.from('M 100644 inline '),
    quoted(path),
    Buffer.from(`\ndata ${content.length}\n${content}\n`),
  ])
}

function remove(path) {
  alive.delete(path)
  return Buffer.concat([Buffer.from('D '), quoted(path), Buffer.from('\n')])
}

/** Paths are held as Latin-1 text, one character a byte; fast-import takes them in C's quotes. */
function quoted(path) {
  const escaped = path.replace(/["\\]/g, (c) => `\\${c}`).replaceAll('\n', '\\n')
  return Buffer.from(`"${escaped}"`, 'latin1')
}

function makePaths(count) {
  const odd = [
    'plain.txt',
    'with space.txt',
    ' leading space',
    'trailing space ',
    'quote"inside',
    '"quoted"',
    'back\\slash',
    'new\nline',
    'tab\tand\rreturn',
    'comma, {brace} [bracket] *star* ?',
    ':(top)looks-like-a-pathspec',
    '-looks-like-an-option',
    '--',
    'grüße/straße.md',
    '日本語/ファイル.txt',
    'emoji 🌀.md',
    '\ufeffbyte-order-mark',
    'e\u0301 decomposed',
    '\u00e9 composed',
    '\u2028line separator',
    '__proto__',
    'constructor',
    'long/'.repeat(60).concat('name'),
  ].map((path) => Buffer.from(path).toString('latin1'))
  odd.push('not-utf8-\xff\xfe', 'latin1-\xe9t\xe9', 'lone-surrogate-\xed\xa0\x80')
  const all = []
  for (let i = 0; i < count; i++) {
    if (i % 40 === 3 && odd.length > 0) all.push(odd.shift())
    else all.push(`pkg${i % 37}/src${i % 11}/file-${i}.ts`)
  }
  return [...all, ...odd]
}

function pick(list) {
  return list[Math.floor(random() * list.length)]
}

async function fastImport(stream) {
  git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  out = spawn('git', ['-C', directory, 'fast-import', '--quiet', '--done'], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: gitEnv,
  })
  const closed = once(out, 'close')
  for (const block of stream()) if (!out.stdin.write(block)) await once(out.stdin, 'drain')
  out.stdin.end('done\n')
  const [code] = await closed
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
}

function git(args) {
  const { status } = spawnSync('git', args, { stdio: 'inherit', env: gitEnv })
  if (status !== 0) throw new Error(`git ${args[0]} ended with ${status}`)
}

function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
