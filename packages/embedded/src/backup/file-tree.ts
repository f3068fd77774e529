import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../store/durable-files.ts'

export async function treeBytes(folder: string): Promise<number> {
  let bytes = 0
  for await (const path of filesBelow(folder)) bytes += (await stat(path)).size
  return bytes
}

/** Flushes every file and folder below, and the folder itself. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else await syncFile(path)
  }
  await syncFolder(folder)
}

async function* filesBelow(folder: string): AsyncIterable<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
