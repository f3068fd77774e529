export type NextStep = readonly [problem: RegExp, step: string]

const OF_ALL: readonly NextStep[] = [
  [
    /^CredentialsProviderError|^TokenProviderError/,
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.',
  ],
  [/^ExpiredToken/, 'Sign in again, or renew the session token.'],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN/, 'Is something listening there? Check the address of the endpoint.'],
]

/** For what a first attempt meets, a sentence to put behind the service's own words, which of the rest say more. */
export function nextStepOf(problem: string, steps: readonly NextStep[]): string {
  const step = [...steps, ...OF_ALL].find(([pattern]) => pattern.test(problem))?.[1]
  return step === undefined ? '' : `${/[.!?]$/.test(problem) ? '' : '.'} ${step}`
}
