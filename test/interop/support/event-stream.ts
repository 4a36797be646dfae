import { EventEmitter, once } from 'node:events';

export interface StreamedEvent {
  readonly type: string;
  readonly data: unknown;
}

/** Reads server-sent events; those that came are kept, so that none is missed between two waits. */
export class EventStream {
  readonly #controller = new AbortController();
  readonly #events: StreamedEvent[] = [];
  readonly #arrival = new EventEmitter();

  /** Resolves when the stream is open: what happens from then on is in it. */
  static async open(url: string): Promise<EventStream> {
    const stream = new EventStream();
    const answer = await fetch(url, { signal: stream.#controller.signal });
    if (!answer.ok || answer.body === null) throw new Error(`${url} answered ${answer.status}`);
    void stream.#read(answer.body);
    await stream.until((event) => event.type === 'hello');
    return stream;
  }

  /** The first event that is wanted, among those that came and those to come. */
  async until(isWanted: (event: StreamedEvent) => boolean, patience = 30_000): Promise<StreamedEvent> {
    const deadline = AbortSignal.timeout(patience);
    for (let next = 0; ; next++) {
      while (next >= this.#events.length) {
        await once(this.#arrival, 'event', { signal: deadline }).catch(() => {
          throw new Error(`No such event in ${patience} ms; there were:\n${JSON.stringify(this.#events)}`);
        });
      }
      const event = this.#events[next];
      if (event !== undefined && isWanted(event)) return event;
    }
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        const frames = (rest + text).split('\n\n');
        rest = frames.pop() ?? '';
        for (const frame of frames) this.#take(frame);
      }
    } catch (error) {
      if (!this.#controller.signal.aborted) throw error;
    }
  }

  #take(frame: string): void {
    const field = (name: string): string =>
      frame
        .split('\n')
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join('\n');
    const data = field('data');
    if (data === '') return;
    this.#events.push({ type: field('event') || 'message', data: JSON.parse(data) });
    this.#arrival.emit('event');
  }
}
