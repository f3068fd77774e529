import { blobKeyParts } from '@eddy/core'

/*
 * A key's parts are folders and a file. Folder names end in `~`, which no key holds, so the blob `a` and the folder of
 * the blob `a/b` have different names. File systems end names at 255 bytes, so a part of 200 characters or more lies
 * in a folder named by its first 200 and `~~`; a rest of nothing is called `+`.
 */
const PIECE_CHARACTERS = 200
const FOLDER = '~'
const PIECE = '~~'
const EMPTY = '+'

/**
 * The blob's path below the blobs folder, as its parts.
 *
 * @throws InvalidOptionError when the key is not made of allowed parts; so no key leads out of the folder
 */
export function blobPath(key: string): string[] {
  const parts = blobKeyParts(key)
  return parts.flatMap((part, i) => splitPart(part, i === parts.length - 1 ? '' : FOLDER))
}

/** What a name in the blobs folder adds to the key. */
export function keyFragment(name: string): { readonly fragment: string; readonly isFolder: boolean } {
  if (name.endsWith(PIECE)) return { fragment: name.slice(0, -PIECE.length), isFolder: true }
  if (!name.endsWith(FOLDER)) return { fragment: name === EMPTY ? '' : name, isFolder: false }
  const part = name.slice(0, -FOLDER.length)
  return { fragment: `${part === EMPTY ? '' : part}/`, isFolder: true }
}

function splitPart(part: string, suffix: string): string[] {
  const names: string[] = []
  let rest = part
  while (rest.length >= PIECE_CHARACTERS) {
    names.push(rest.slice(0, PIECE_CHARACTERS) + PIECE)
    rest = rest.slice(PIECE_CHARACTERS)
  }
  names.push((rest === '' ? EMPTY : rest) + suffix)
  return names
}
