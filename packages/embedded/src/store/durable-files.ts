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
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  let made = path
  for (;;) {
    await syncFolder(dirname(made))
    if (made === first || dirname(made) === made) return
    made = dirname(made)
  }
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
