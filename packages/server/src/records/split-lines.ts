const LINE_FEED = 0x0a

/** The lines of a body that are not blank, at most `maxLines`; what follows those is left alone. */
export function splitLines(body: Uint8Array, maxLines: number): readonly Uint8Array[] {
  const lines: Uint8Array[] = []
  let start = 0
  while (start < body.length && lines.length < maxLines) {
    const feed = body.indexOf(LINE_FEED, start)
    const end = feed === -1 ? body.length : feed
    const line = body.subarray(start, end)
    if (!isBlank(line)) lines.push(line)
    start = end + 1
  }
  return lines
}

/** Spaces, tabs and carriage returns alone. */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
