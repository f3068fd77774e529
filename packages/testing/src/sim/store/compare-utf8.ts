/**
 * Compares by UTF-8 bytes. JavaScript compares UTF-16 code units, in which surrogates (characters from U+10000) come
 * before U+E000 to U+FFFF; in UTF-8 they come after.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

function rank(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit
  return codeUnit < 0xe000 ? codeUnit + 0x10000 : codeUnit
}
