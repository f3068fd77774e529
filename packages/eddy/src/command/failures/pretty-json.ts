/**
 * JSON with indentation, for reading and editing. Text that JavaScript could not write back as it was (a number of
 * more digits than a double holds, a repeated key) stays as it is: showing an event must never change it.
 */
export function prettyJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === withoutSpace(text) ? JSON.stringify(value, undefined, 2) : text
  } catch {
    return text
  }
}

/** JSON text without the white space between its tokens. */
function withoutSpace(text: string): string {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|\s+/g, (part) => (part.startsWith('"') ? part : ''))
}
