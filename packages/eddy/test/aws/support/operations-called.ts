interface WithMiddleware {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: object) => Promise<object>,
        context: { readonly commandName?: string },
      ) => (args: object) => Promise<object>,
      options: { readonly step: 'initialize'; readonly name: string },
    ): void
  }
}

/** The names of the operations that a client of the SDK was asked for; grows as it is used. */
export function operationsCalled(client: object): ReadonlySet<string> {
  const called = new Set<string>()
  const { middlewareStack } = client as WithMiddleware
  middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        called.add(commandName.replace(/Command$/, ''))
        return next(args)
      },
    { step: 'initialize', name: 'operationsCalled' },
  )
  return called
}
