import { existsSync } from 'node:fs'

/** The folder that holds package.json, `src` and `dist`, wherever in it this code was built to. */
export const packageFolder: URL = (() => {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('..', folder)
    if (above.href === folder.href) throw new Error(`no package.json is above ${import.meta.url}`)
    folder = above
  }
  return folder
})()
