import { readFileSync } from 'node:fs'
import { InvalidOptionError } from '@eddy/core'

/** A pair that clients sign with. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const MAX_PAIRS = 1_000

/**
 * The pairs that may sign: of EDDY_AWS_ACCESS_KEY_ID and EDDY_AWS_SECRET_ACCESS_KEY, and of a file with one pair a
 * line, `ID SECRET`; empty lines and lines that begin with `#` are left out.
 *
 * @throws InvalidOptionError (EDDY_INVALID_OPTION); it never shows a secret
 */
export function readCredentials(
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): readonly Credentials[] {
  const accessKeyId = env.EDDY_AWS_ACCESS_KEY_ID
  const secretAccessKey = env.EDDY_AWS_SECRET_ACCESS_KEY
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    const missing = accessKeyId === undefined ? 'EDDY_AWS_ACCESS_KEY_ID' : 'EDDY_AWS_SECRET_ACCESS_KEY'
    throw new InvalidOptionError(missing, 'a value, since the other one of the pair is set', undefined)
  }
  const fromEnv =
    accessKeyId === undefined || secretAccessKey === undefined
      ? []
      : [checked({ accessKeyId, secretAccessKey }, 'EDDY_AWS_ACCESS_KEY_ID and EDDY_AWS_SECRET_ACCESS_KEY')]
  return file === undefined ? fromEnv : [...fromEnv, ...readFile(file)]
}

function readFile(file: string): readonly Credentials[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new InvalidOptionError('--aws-credentials', `a file that can be read (${reason})`, file)
  }
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }))
  const pairs = lines.filter(({ line }) => line !== '' && !line.startsWith('#'))
  if (pairs.length === 0 || pairs.length > MAX_PAIRS)
    throw new InvalidOptionError('--aws-credentials', `a file of 1 to ${MAX_PAIRS} lines \`ID SECRET\``, file)
  return pairs.map(({ line, number }) => {
    const [accessKeyId = '', secretAccessKey = '', ...rest] = line.split(/\s+/)
    const place = `--aws-credentials, line ${number}`
    if (rest.length > 0) throw new InvalidOptionError(place, 'two words: ID SECRET', '(not shown)')
    return checked({ accessKeyId, secretAccessKey }, place)
  })
}

function checked(pair: Credentials, place: string): Credentials {
  if (!/^\w{1,128}$/.test(pair.accessKeyId))
    throw new InvalidOptionError(
      place,
      'an access key id of 1 to 128 letters, digits and `_`',
      pair.accessKeyId,
    )
  if (!/^[\x21-\x7e]{1,256}$/.test(pair.secretAccessKey))
    throw new InvalidOptionError(place, 'a secret of 1 to 256 printable ASCII characters', '(not shown)')
  return pair
}
