import { type ClientRequest, get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';

/** One event of a stream, as a browser would dispatch it (WHATWG HTML §9.2.6). */
export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A client of an event stream on a real socket, which can stop reading. */
export class EventSource {
  readonly comments: string[] = [];
  retry: number | undefined;
  /** Of the last block that had one: what a browser sends back. */
  lastId = '';
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #events: ReceivedEvent[] = [];
  #wake: (() => void) | undefined;
  #buffer = '';
  #ended = false;

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    response.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
    // The end by reset is an end: what was received counts.
    response.on('error', () => response.destroy());
  }

  /** Resolves when the head of the answer is there; the answer may be a refusal: see `status`. */
  static open(url: string, headers: OutgoingHttpHeaders = {}): Promise<EventSource> {
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) =>
        resolve(new EventSource(request, response)),
      );
      request.once('error', reject);
    });
  }

  get status(): number | undefined {
    return this.#response.statusCode;
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers;
  }

  /** The next event; undefined at the end of the stream. */
  async next(): Promise<ReceivedEvent | undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined || this.#ended) return event;
      await this.#progress();
    }
  }

  /** Resolves when the stream has ended. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#progress();
  }

  /** Resolves when so many comments have come. */
  async commented(count: number): Promise<void> {
    while (this.comments.length < count && !this.#ended) await this.#progress();
  }

  /** Stops reading from the socket: what the server sends piles up there. */
  pause(): void {
    this.#response.pause();
  }

  read(): void {
    this.#response.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf('\n\n'); end >= 0; end = this.#buffer.indexOf('\n\n')) {
      this.#dispatch(this.#buffer.slice(0, end));
      this.#buffer = this.#buffer.slice(end + 2);
    }
    this.#wake?.();
  }

  #dispatch(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) this.comments.push(line.slice(1));
      else fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '');
    }
    if (fields.retry !== undefined) this.retry = Number(fields.retry);
    if (fields.id !== undefined) this.lastId = fields.id;
    if (fields.data === undefined) return;
    this.#events.push({
      id: fields.id ?? '',
      event: fields.event ?? 'message',
      data: JSON.parse(fields.data),
    });
  }
}
