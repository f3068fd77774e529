import { type FileHandle, mkdir, open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes what was created, renamed or removed in the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the folder and its missing parents, durably. */
export async function makeFolder(path: string): Promise<void> {
  const first = await makeMissing(path)
  if (first === undefined) return
  let made = path
  for (;;) {
    await syncFolder(dirname(made))
    if (made === first || dirname(made) === made) return
    made = dirname(made)
  }
}

/** @returns the topmost folder that was made */
async function makeMissing(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true })
  } catch (error) {
    // Node says of a read-only disk that there is no such folder: made by itself, the first one tells the reason.
    let topmost = path
    for (let code = codeOf(error); code === 'ENOENT' && dirname(topmost) !== topmost; ) {
      try {
        await mkdir(topmost)
        break
      } catch (reason) {
        code = codeOf(reason)
        if (code !== 'ENOENT') throw reason
        topmost = dirname(topmost)
      }
    }
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** Replaces the file as a whole: after a crash there is the old text or the new one. */
export async function replaceFile(path: string, text: string, temporaryPath = `${path}.new`): Promise<void> {
  const handle = await open(temporaryPath, 'w')
  await writeAndSync(handle, text)
  await rename(temporaryPath, path)
  await syncFolder(dirname(path))
}

async function writeAndSync(handle: FileHandle, text: string): Promise<void> {
  try {
    await writeFile(handle, text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
