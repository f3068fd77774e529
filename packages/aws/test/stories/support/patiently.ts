/** An emulator that closes a connection just when it is used again answers the next request. */
export async function patiently<T>(look: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await look()
    } catch (error) {
      if (tries === 5 || (error as { readonly retryable?: boolean }).retryable !== true) throw error
    }
  }
}
