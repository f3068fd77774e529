import type { BlobInfo, Blobs } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, contract, expectCode } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Blobs` port, as vitest tests of the engines that `open` makes. */
export function blobsContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`blobs contract: ${name}`, open, options, { put: putTests, keys: keyTests })
}

function putTests(test: ContractTest): void {
  test('what was put is got back, from bytes and from a stream', async ({ engine }) => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)
    expect(await engine.blobs.put('a/bytes', bytes)).toEqual({ key: 'a/bytes', bytes: 100_000 })
    expect((await read(engine.blobs, 'a/bytes'))?.equals(bytes)).toBe(true)
    const streamed = await engine.blobs.put('a/stream', chunked(bytes, 7_777))
    expect(streamed).toEqual({ key: 'a/stream', bytes: 100_000 })
    expect((await read(engine.blobs, 'a/stream'))?.equals(bytes)).toBe(true)
    await engine.blobs.put('empty', new Uint8Array(0))
    expect(await read(engine.blobs, 'empty')).toEqual(Buffer.alloc(0))
    expect(await engine.blobs.get('none')).toBeUndefined()
  })

  test('put replaces what was there, whole', async ({ engine }) => {
    await engine.blobs.put('k', Buffer.from('a much longer first content'))
    await engine.blobs.put('k', Buffer.from('second'))
    expect((await read(engine.blobs, 'k'))?.toString()).toBe('second')
    expect(await listed(engine.blobs, '')).toEqual([{ key: 'k', bytes: 6 }])
  })

  test('a put that breaks off leaves what was there: a blob is there whole or not at all', async ({
    engine,
  }) => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      throw new Error('the source broke')
    }
    await expect(engine.blobs.put('new', broken())).rejects.toThrow()
    expect(await engine.blobs.get('new')).toBeUndefined()
    await engine.blobs.put('old', Buffer.from('whole'))
    await expect(engine.blobs.put('old', broken())).rejects.toThrow()
    expect((await read(engine.blobs, 'old'))?.toString()).toBe('whole')
    expect((await listed(engine.blobs, '')).map((blob) => blob.key)).toEqual(['old'])
  })

  test('a reader sees one whole content while it is replaced', async ({ engine }) => {
    const content = (letter: string): Uint8Array => new Uint8Array(200_000).fill(letter.charCodeAt(0))
    await engine.blobs.put('k', content('a'))
    const reading = await engine.blobs.get('k')
    await engine.blobs.put('k', content('b'))
    const seen = Buffer.concat(await chunks(reading))
    expect(seen.length).toBe(200_000)
    expect(new Set(seen).size).toBe(1)
    expect((await read(engine.blobs, 'k'))?.[0]).toBe('b'.charCodeAt(0))
  })

  test('concurrent puts of one key leave one of them, whole', async ({ engine }) => {
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(50_000))
    await Promise.all(contents.map((text) => engine.blobs.put('k', chunked(Buffer.from(text), 1_000))))
    expect(contents).toContain((await read(engine.blobs, 'k'))?.toString())
  })

  test('what is stored shares no memory with what was handed in or out', async ({ engine }) => {
    const content = Buffer.from('clean')
    await engine.blobs.put('k', content)
    content.fill('x')
    for (const chunk of await chunks(await engine.blobs.get('k'))) chunk.fill(120)
    expect((await read(engine.blobs, 'k'))?.toString()).toBe('clean')
  })

  test(
    'blobs survive a kill',
    async (subject) => {
      await subject.engine.blobs.put('ledger/1', Buffer.from('payload'))
      const engine = await subject.reopen()
      expect((await read(engine.blobs, 'ledger/1'))?.toString()).toBe('payload')
    },
    { needs: 'reopen' },
  )
}

function keyTests(test: ContractTest): void {
  test('blobs are listed in key order, by prefix', async ({ engine }) => {
    const keys = ['a/b', 'a.b', 'a-b', 'a', 'a0', 'a/b/c', 'B', 'a/B', 'b', 'a=b', 'a_b', 'a/a']
    for (const key of keys) await engine.blobs.put(key, Buffer.from(key))
    const ordered = [...keys].sort()
    expect((await listed(engine.blobs, '')).map((blob) => blob.key)).toEqual(ordered)
    expect((await listed(engine.blobs, 'a/')).map((blob) => blob.key)).toEqual(['a/B', 'a/a', 'a/b', 'a/b/c'])
    expect((await listed(engine.blobs, 'a/b')).map((blob) => blob.key)).toEqual(['a/b', 'a/b/c'])
    expect((await listed(engine.blobs, 'a')).map((blob) => blob.key)).toEqual(
      ordered.filter((key) => key.startsWith('a')),
    )
    expect(await listed(engine.blobs, 'none')).toEqual([])
    expect((await read(engine.blobs, 'a'))?.toString()).toBe('a')
  })

  test('delete removes one blob, and is no error when there is none', async ({ engine }) => {
    for (const key of ['a', 'a/b', 'a/c']) await engine.blobs.put(key, Buffer.from(key))
    await engine.blobs.delete('a')
    await engine.blobs.delete('a/c')
    await engine.blobs.delete('a/c')
    await engine.blobs.delete('never/there')
    expect(await engine.blobs.get('a')).toBeUndefined()
    expect((await listed(engine.blobs, '')).map((blob) => blob.key)).toEqual(['a/b'])
  })

  test('keys: 512 characters of the allowed ones', async ({ engine }) => {
    const longest = ['aZ0_.=-', 'x'.repeat(512 - 8)].join('/')
    expect(longest).toHaveLength(512)
    await engine.blobs.put(longest, Buffer.from('v'))
    expect((await read(engine.blobs, longest))?.toString()).toBe('v')
    expect((await listed(engine.blobs, 'aZ0')).map((blob) => blob.key)).toEqual([longest])
  })

  test('any other key is refused, traversal above all', async ({ engine }) => {
    const wrong = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/..',
      'a/./b',
      'a\\b',
      'a b',
      'ä',
    ]
    wrong.push('a\u0000', 'a:b', '~', 'x'.repeat(513))
    for (const key of wrong) {
      await expectCode(engine.blobs.put(key, Buffer.from('v')), 'EDDY_INVALID_OPTION')
      await expectCode(engine.blobs.get(key), 'EDDY_INVALID_OPTION')
      await expectCode(engine.blobs.delete(key), 'EDDY_INVALID_OPTION')
    }
    expect(await listed(engine.blobs, '')).toEqual([])
  })
}

/** The bytes as a stream of chunks. */
async function* chunked(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

async function chunks(content: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  for await (const chunk of content ?? []) parts.push(chunk)
  return parts
}

async function read(blobs: Blobs, key: string): Promise<Buffer | undefined> {
  const content = await blobs.get(key)
  return content === undefined ? undefined : Buffer.concat(await chunks(content))
}

async function listed(blobs: Blobs, prefix: string): Promise<BlobInfo[]> {
  const infos: BlobInfo[] = []
  for await (const info of blobs.list(prefix)) infos.push(info)
  return infos
}
