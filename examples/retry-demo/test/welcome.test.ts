import { describe, expect, it } from 'vitest'
import { DemoMailServer, MailRefused } from '../src/mail-server.ts'
import { welcome } from '../src/welcome.ts'

describe('welcome, called directly', () => {
  it('sends a mail', async () => {
    expect(await welcome({ visitor: 'ann', fail: false }, new DemoMailServer())).toBe('Welcome, ann!')
  })

  it('throws while the mail server refuses, and works once it is repaired', async () => {
    const mail = new DemoMailServer()
    await expect(welcome({ visitor: 'ann', fail: true }, mail)).rejects.toThrow(MailRefused)
    mail.repair()
    expect(await welcome({ visitor: 'ann', fail: true }, mail)).toBe('Welcome, ann!')
  })
})
