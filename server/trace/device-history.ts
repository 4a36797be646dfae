import type { CapturedMessage } from './captured-message.ts';
import { type Annotation, Conversation } from './conversation.ts';

/** Messages that are kept of a device that somebody looks at, and bytes of them. */
export const HISTORY_MESSAGES = 1000;
const HISTORY_BYTES = 1024 * 1024;

/** A message of a device, and what it is to the others. */
export interface TracedMessage {
  readonly captured: CapturedMessage;
  readonly annotation: Annotation;
}

/** The last messages of one device that somebody looks at, in the order of their ids. */
export class DeviceHistory {
  readonly endpoint: string;
  #messages: TracedMessage[] = [];
  #bytes = 0;
  #conversation = new Conversation();
  /** What came before the history was filled. */
  #waiting: CapturedMessage[] | undefined = [];
  /** Since when it has all messages, by the clock's `now()`. */
  #since: number;

  constructor(endpoint: string, since: number) {
    this.endpoint = endpoint;
    this.#since = since;
  }

  get messages(): readonly TracedMessage[] {
    return this.#messages;
  }

  get since(): number {
    return this.#since;
  }

  /**
   * What was there before: from then on messages are taken in as they come.
   * @param pathOfToken of the observations that there are
   */
  fill(
    messages: readonly CapturedMessage[],
    since: number,
    pathOfToken: (token: string) => string | undefined,
  ): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#since = since;
    this.#conversation = new Conversation(pathOfToken);
    const known = new Set(messages.map(({ id }) => id));
    const all = [...messages, ...waiting.filter(({ id }) => !known.has(id))];
    for (const message of all.sort((a, b) => a.id - b.id)) this.add(message);
  }

  /** Takes a message in; undefined where it is known already, or waits until the history is filled. */
  add(captured: CapturedMessage): TracedMessage | undefined {
    if (this.#waiting !== undefined) {
      if (this.#waiting.length < HISTORY_MESSAGES) this.#waiting.push(captured);
      return undefined;
    }
    const messages = this.#messages;
    // Mostly it is the newest; one that is found to be this device's afterwards goes to its place.
    let at = messages.length;
    while (at > 0 && (messages[at - 1] as TracedMessage).captured.id >= captured.id) at--;
    if (messages[at]?.captured.id === captured.id) return undefined;
    const traced = { captured, annotation: this.#conversation.add(captured) };
    messages.splice(at, 0, traced);
    this.#bytes += captured.data.length;
    while (messages.length > HISTORY_MESSAGES || this.#bytes > HISTORY_BYTES) {
      const gone = messages.shift();
      this.#bytes -= gone?.captured.data.length ?? 0;
      this.#since = messages[0]?.captured.time ?? captured.time;
    }
    return traced;
  }
}
