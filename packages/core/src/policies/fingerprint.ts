const MAX_FRAMES = 64
const MAX_MASKED_CHARACTERS = 4_096
const OWN_PACKAGES = ['core', 'embedded', 'server', 'testing', 'eddy']

/**
 * Names the group an error belongs to: `TypeError-1a2b3c4d`, the type and 8 hex digits over the type and the place.
 *
 * The place is the function and file (base name, no extension) of the first stack frame that is neither Node's, nor a
 * dependency's, nor Eddy's. Line numbers are left out on purpose: a deploy that moves a line must not split the
 * group. Without such a frame the message stands in, with numbers, hex and UUIDs masked. Linear in its input.
 *
 * @param causes - messages of the causes, which tell failures apart where no frame does
 */
export function fingerprint(type: string, message: string, stack: string | undefined, causes = ''): string {
  const place = stack === undefined ? undefined : firstOwnFrame(stack, message)
  return `${readable(type)}-${fnv1aHex(`${type}\n${place ?? maskVolatile(message + causes)}`)}`
}

/** `file:function` of the first own frame. The message, which may hold lines that look like frames, is skipped. */
function firstOwnFrame(stack: string, message: string): string | undefined {
  const colon = stack.indexOf(': ')
  const skip =
    colon >= 0 && colon < 256 && stack.startsWith(message, colon + 2) ? colon + 2 + message.length : 0
  let start = skip
  for (let seen = 0; seen < MAX_FRAMES && start < stack.length; seen += 1) {
    const end = stack.indexOf('\n', start)
    const line = stack.slice(start, Math.min(end === -1 ? stack.length : end, start + 2_048)).trim()
    if (line.startsWith('at ')) {
      const place = ownPlace(line.slice(3))
      if (place !== undefined) return place
    }
    if (end === -1) break
    start = end + 1
  }
  return undefined
}

function ownPlace(frame: string): string | undefined {
  const open = frame.endsWith(')') ? frame.lastIndexOf(' (') : -1
  const location = open === -1 ? frame.replace(/^async /, '') : frame.slice(open + 2, -1)
  const path = location.replace(/:\d+:\d+$/, '').replace(/\?.*$/, '')
  if (!path.includes('/') && !path.includes('\\')) return undefined
  if (path.startsWith('node:') || /[\\/]node_modules[\\/]/.test(path) || isEddyPath(path)) return undefined
  const file = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return `${file.replace(/\.[cm]?[jt]sx?$/, '')}:${open === -1 ? '' : functionName(frame.slice(0, open))}`
}

function functionName(name: string): string {
  const alias = name.indexOf(' [as ')
  return (alias === -1 ? name : name.slice(0, alias)).replace(/^(?:async |new )+/, '')
}

/** Where Eddy's packages lie; empty when this file was bundled elsewhere and its own place says nothing. */
const ownRoots: readonly string[] = ((): readonly string[] => {
  const here =
    /^(?:file:\/\/)?(.*[\\/]packages[\\/])core[\\/](?:src[\\/]policies[\\/]fingerprint\.ts|dist[\\/].*\.js)$/.exec(
      import.meta.url.replace(/\?.*$/, ''),
    )
  if (here === null) return []
  return OWN_PACKAGES.flatMap((name) => [`${here[1]}${name}/src/`, `${here[1]}${name}/dist/`])
})()

function isEddyPath(path: string): boolean {
  const plain = path.startsWith('file://') ? path.slice(7) : path
  return ownRoots.some((root) => plain.startsWith(root))
}

/** One pass, no backtracking: digits, hex words and UUIDs become `#`. */
export function maskVolatile(message: string): string {
  const text = message.slice(0, MAX_MASKED_CHARACTERS)
  let masked = ''
  let index = 0
  while (index < text.length) {
    if (!isWordCode(text.charCodeAt(index))) {
      masked += text[index]
      index += 1
      continue
    }
    if (isUuidAt(text, index)) {
      masked += '#'
      index += 36
      continue
    }
    let end = index + 1
    while (end < text.length && isWordCode(text.charCodeAt(end))) end += 1
    masked += maskWord(text.slice(index, end))
    index = end
  }
  return masked
}

function maskWord(word: string): string {
  if (!/\d/.test(word)) return word
  if (/^(?:0[xX])?[0-9a-fA-F]{8,}$/.test(word) || /^0[xX][0-9a-fA-F]+$/.test(word)) return '#'
  return word.replace(/\d+/g, '#')
}

function isUuidAt(text: string, start: number): boolean {
  if (text.charCodeAt(start + 8) !== 45) return false
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.slice(start, start + 36))
}

function isWordCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

function readable(type: string): string {
  return type.slice(0, 40).replace(/[^A-Za-z0-9_.]/g, '_') || 'Error'
}

/** FNV-1a over UTF-16 code units, both bytes. Names a group; not for anything that must resist an attacker. */
function fnv1aHex(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    hash = Math.imul(hash ^ (code & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (code >>> 8), 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}
