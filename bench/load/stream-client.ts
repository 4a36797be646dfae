import { type ClientRequest, get, type IncomingMessage } from 'node:http';

/** Latencies that one client keeps: it takes one of each chunk that comes. */
const MAX_SAMPLES = 20_000;
const frameEnd = Buffer.from('\n\n');

/**
 * One client of an event stream, made to read hundreds of thousands of events a second: it parses ids, and
 * of each chunk that comes the last reading, for the time that it took.
 */
export class StreamClient {
  events = 0;
  /** Items that came twice or not in their order, or between which one is missing. */
  faults = 0;
  readonly paces: string[] = [];
  gaps = 0;
  latencies: number[] = [];
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  /** It gets everything, so ids must be without gaps; else only rise. */
  readonly #everything: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #event = -1;
  #log = -1;
  #number = -1;

  private constructor(request: ClientRequest, response: IncomingMessage, everything: boolean) {
    this.#request = request;
    this.#response = response;
    this.#everything = everything;
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('error', () => response.destroy());
  }

  /** @param endpoint of which device; undefined: of all. */
  static open(base: string, endpoint: string | undefined): Promise<StreamClient> {
    const url = `${base}/api/events${endpoint === undefined ? '' : `?watch=*@${encodeURIComponent(endpoint)}`}`;
    return new Promise((resolve, reject) => {
      const request = get(url, { agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new StreamClient(request, response, endpoint === undefined));
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
      request.once('error', reject);
    });
  }

  pause(): void {
    this.#response.pause();
  }

  read(): void {
    this.#response.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  #take(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    let last = -1;
    for (let end = data.indexOf(frameEnd); end >= 0; end = data.indexOf(frameEnd, start)) {
      if (this.#frame(data, start, end)) last = start;
      start = end + 2;
    }
    this.#rest = data.subarray(start);
    if (last >= 0) this.#sample(data.toString('latin1', last, data.indexOf(frameEnd, last)));
  }

  /** True for one that has readings. */
  #frame(data: Buffer, start: number, end: number): boolean {
    // `id: ` and two numbers
    if (data[start] !== 0x69) {
      const text = data.toString('latin1', start, end);
      if (text.startsWith('event: gap')) this.gaps++;
      else if (/^event: (behind|level)/.test(text)) this.paces.push(text.slice(7, text.indexOf('\n')));
      return false;
    }
    let at = start + 4;
    let event = 0;
    for (; data[at] !== 0x2d; at++) event = event * 10 + (data[at] ?? 0) - 48;
    let log = 0;
    for (at++; data[at] !== 0x0a; at++) log = log * 10 + (data[at] ?? 0) - 48;
    // `\nevent: h` is of `hello`, `\nevent: r` of readings, or of `registered`
    const initial = data[at + 8];
    if (initial === 0x68) {
      this.#event = event;
      this.#log = log;
      return false;
    }
    this.events++;
    const isReading = initial === 0x72 && data[at + 10] === 0x61;
    this.#check(isReading, event, log);
    if (isReading && !this.#everything) this.#count(data.toString('latin1', at, end));
    return isReading;
  }

  #check(isReading: boolean, event: number, log: number): void {
    const step = isReading ? log - this.#log : event - this.#event;
    if (this.#everything ? step !== 1 : step < 1) this.faults++;
    if (isReading) this.#log = log;
    else this.#event = event;
  }

  /** A device's readings are numbered. */
  #count(frame: string): void {
    const number = Number(/,([\d.]+)\]\]/.exec(frame)?.[1]);
    if (this.#number >= 0 && number !== this.#number + 1) this.faults++;
    this.#number = number;
  }

  #sample(frame: string): void {
    const takenAt = Number(/\[\[([\d.]+),/.exec(frame)?.[1]);
    if (this.latencies.length < MAX_SAMPLES) {
      this.latencies.push(performance.timeOrigin + performance.now() - takenAt);
    }
  }
}
