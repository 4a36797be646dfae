import type { CoapEndpoint, IncomingRequest, IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import {
  contentFormat,
  contentFormatOption,
  locationPath,
  locationPathOptions,
  pathOptions,
  queryOptions,
  uriPath,
} from '../../protocol/coap/options.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type ServerWorld, senml } from './server-world.ts';

const SERVER = 'server:5683';
/** Object of which the device carries out whatever it is asked, and keeps a journal. */
export const JOURNAL_OBJECT = 33_000;

/**
 * A device that sleeps, or moves, or both: between its windows its radio is off, and its address is another
 * one as often as a test says. It writes down each operation that it carries out, in order.
 */
export class RestlessDevice {
  readonly endpoint: CoapEndpoint;
  /** `write 7`, `execute 8`: what was carried out, with the number that the request bore. */
  readonly journal: string[] = [];
  readonly #world: ServerWorld;
  readonly #name: string;
  readonly #port: string;
  /** ms that it listens after its last message; undefined: always. */
  readonly #listens: number | undefined;
  #location = '';
  #moves = 0;
  #activeAt = 0;
  #moving = false;

  constructor(world: ServerWorld, name: string, listens?: number) {
    this.#world = world;
    this.#name = name;
    this.#port = `port-of-${name}`;
    this.#listens = listens;
    this.endpoint = world.endpoint(this.#port, { handler: (request) => this.#handle(request) });
    // Every datagram keeps the radio on.
    this.endpoint.trace(() => {
      this.#activeAt = world.clock.now();
    });
    this.#masquerade();
  }

  get moves(): number {
    return this.#moves;
  }

  get asleep(): boolean {
    return this.#world.link.deaf.has(this.#port);
  }

  async register(): Promise<void> {
    const queue = this.#listens === undefined ? [] : ['Q'];
    const links = `</>;rt="oma.lwm2m";ct="110 112",</${JOURNAL_OBJECT}/0>`;
    const answer = await this.#world.wait(
      this.#post('/rd', [`ep=${this.#name}`, 'lt=86400', 'lwm2m=1.1', 'b=U', ...queue], links),
    );
    this.#location = `/${locationPath(answer.options).join('/')}`;
    this.#listen();
  }

  /** Turns the radio on and updates; off again when nothing was said for the time that it listens. */
  async wake(): Promise<IncomingResponse> {
    this.#world.link.deaf.delete(this.#port);
    this.#listen();
    return this.#update();
  }

  /** Another address every so often, from which it updates, until the test ends it. */
  moveEvery(milliseconds: number): () => void {
    this.#moving = true;
    const move = (): void => {
      if (!this.#moving) return;
      this.#masquerade();
      // A device whose Update meets no answer moves on nevertheless.
      this.#update().catch(() => undefined);
      this.#world.clock.setTimer(milliseconds, move);
    };
    this.#world.clock.setTimer(milliseconds, move);
    return () => {
      this.#moving = false;
    };
  }

  #masquerade(): void {
    this.#world.link.masquerade(this.#port, `nat-of-${this.#name}:${++this.#moves}`);
  }

  #update(): Promise<IncomingResponse> {
    return this.#post(this.#location, []);
  }

  #post(path: string, queries: readonly string[], links = ''): Promise<IncomingResponse> {
    return this.endpoint.request(SERVER, {
      code: Code.POST,
      options: [
        ...pathOptions(path),
        ...queryOptions(queries),
        ...(links === '' ? [] : [contentFormatOption(ContentFormat.LINK_FORMAT)]),
      ],
      payload: new TextEncoder().encode(links),
    });
  }

  #listen(): void {
    this.#activeAt = this.#world.clock.now();
    if (this.#listens !== undefined) this.#sleepLater(this.#listens);
  }

  #sleepLater(after: number): void {
    this.#world.clock.setTimer(after, () => {
      const left = this.#activeAt + (this.#listens ?? 0) - this.#world.clock.now();
      if (left > 0) this.#sleepLater(left);
      else this.#world.link.deaf.add(this.#port);
    });
  }

  #handle(request: IncomingRequest): void {
    const [object, instance, resource] = uriPath(request.options);
    const path = `/${uriPath(request.options).join('/')}`;
    if (object !== String(JOURNAL_OBJECT)) {
      request.respond({ code: Code.NOT_FOUND });
      return;
    }
    if (request.code === Code.GET) {
      this.journal.push(`read ${resource}`);
      request.respond(senml(path, [{ path, value: Number(resource) }]));
    } else if (request.code === Code.PUT) {
      this.journal.push(`write ${resource}`);
      request.respond({ code: Code.CHANGED });
    } else if (request.code === Code.POST && instance === undefined) {
      const format = contentFormat(request.options) ?? ContentFormat.TLV;
      const records = decodeContent(format, path, request.payload, { resourceType: () => undefined });
      const made = records[0]?.path.split('/')[2] ?? '';
      this.journal.push(`create ${made}`);
      request.respond({ code: Code.CREATED, options: locationPathOptions(`${path}/${made}`) });
    } else if (request.code === Code.POST && resource !== undefined) {
      const args = new TextDecoder().decode(request.payload);
      this.journal.push(`execute ${/0='(\d+)'/.exec(args)?.[1]}`);
      request.respond({ code: Code.CHANGED });
    } else request.respond({ code: Code.METHOD_NOT_ALLOWED });
  }
}
