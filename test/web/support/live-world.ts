import type { LiveEnvironment } from '../../../web/data/event-connection.ts';

export interface Opened {
  readonly url: URL;
  readonly signal: AbortSignal;
  readonly push: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Time, and a server whose streams the test writes. */
export class LiveWorld implements LiveEnvironment {
  time = 1000;
  readonly opened: Opened[] = [];
  refusals: (number | 'unreachable')[] = [];
  #timers: { at: number; action: () => void }[] = [];

  readonly now = () => this.time;
  readonly random = () => 0.5;

  readonly setTimer = (action: () => void, delay: number) => {
    const timer = { at: this.time + delay, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  readonly fetch: typeof fetch = async (input, init) => {
    const refusal = this.refusals.shift();
    if (refusal === 'unreachable') throw new TypeError('fetch failed');
    if (refusal !== undefined) return new Response('', { status: refusal });
    const encoder = new TextEncoder();
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
    });
    this.opened.push({
      url: new URL(String(input), 'http://console'),
      signal: init?.signal as AbortSignal,
      push: (text) => {
        controller?.enqueue(encoder.encode(text));
        return settle();
      },
      end: () => {
        controller?.close();
        return settle();
      },
    });
    return new Response(body, { status: 200 });
  };

  async advance(by: number): Promise<void> {
    const until = this.time + by;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.time = next.at;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.action();
      await settle();
    }
    this.time = until;
  }

  get last(): Opened {
    const opened = this.opened.at(-1);
    if (opened === undefined) throw new Error('no stream was opened');
    return opened;
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export const hello = (id: string) => `id: ${id}\nevent: hello\ndata: {}\n\n`;
export const event = (id: string, type: string, data: unknown) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
