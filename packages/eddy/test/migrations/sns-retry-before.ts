import { type Visit, welcome } from './welcome.ts'

interface KinesisEvent {
  readonly Records: readonly { readonly kinesis: { readonly data: string } }[]
}
interface SnsEvent {
  readonly Records: readonly { readonly Sns: { readonly Message: string } }[]
}

/** On the stream: what fails goes to a topic, and the stream flows on. */
export async function live(
  { Records }: KinesisEvent,
  publish: (message: string) => Promise<void>,
): Promise<void> {
  for (const { kinesis } of Records) {
    const text = Buffer.from(kinesis.data, 'base64').toString()
    try {
      await welcome(JSON.parse(text) as Visit)
    } catch {
      await publish(text)
    }
  }
}

/** On the topic: Lambda tries twice more, after one and two minutes, then the function's dead-letter queue has it. */
export async function retry({ Records }: SnsEvent): Promise<void> {
  for (const { Sns } of Records) await welcome(JSON.parse(Sns.Message) as Visit)
}
