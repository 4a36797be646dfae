import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import type { IncomingRequest, IncomingResponse } from '../../../protocol/coap/exchange.ts';
import { type CoapOption, Code, formatCode } from '../../../protocol/coap/message.ts';
import {
  contentFormat,
  contentFormatOption,
  pathOptions,
  queryOptions,
  uriPath,
} from '../../../protocol/coap/options.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import type { ServerWorld } from '../server-world.ts';
import { BOOTSTRAP_SERVER } from '../server-world.ts';

export const registry = createObjectRegistry(standardObjects());
const methods = ['', 'GET', 'POST', 'PUT', 'DELETE'];
const text = new TextEncoder();

type Respond = (request: IncomingRequest) => void;

/** A device that does on the bootstrap interface what a test tells it, and notes what it was asked. */
export class ScriptedBootstrapClient {
  /** `PUT /0/1` and so on, as they came. */
  readonly asked: string[] = [];
  /** What was written, by path; bytes as hex. */
  readonly values = new Map<string, LwM2mRecord['value']>();
  /** Formats of what was written. */
  readonly formats = new Set<number | undefined>();
  /** Answers by method and path, before the usual ones. */
  readonly answers = new Map<string, Respond>();
  /** Of Bootstrap-Discover. */
  contents = '</>;lwm2m=1.1,</0/0>,</1>,</3/0>';
  readonly endpoint;
  readonly #world: Pick<ServerWorld, 'endpoint' | 'wait'>;
  readonly #server: string;

  constructor(world: Pick<ServerWorld, 'endpoint' | 'wait'>, address: string, server = BOOTSTRAP_SERVER) {
    this.#world = world;
    this.#server = server;
    this.endpoint = world.endpoint(address, { handler: (request) => this.#handle(request) });
  }

  request(code: Code, path: string, query: readonly string[], options: readonly CoapOption[] = []) {
    return this.#world.wait<IncomingResponse>(
      this.endpoint.request(this.#server, {
        code,
        options: [...pathOptions(path), ...queryOptions(query), ...options],
      }),
    );
  }

  /** Bootstrap-Request; the code of the answer, and what it says. */
  async ask(...query: readonly string[]): Promise<string> {
    const { code, payload } = await this.request(Code.POST, '/bs', query);
    return `${formatCode(code)} ${new TextDecoder().decode(payload)}`.trim();
  }

  #handle(request: IncomingRequest): void {
    const path = `/${uriPath(request.options).join('/')}`;
    const what = `${methods[request.code] ?? request.code} ${path}`;
    this.asked.push(what);
    const answer = this.answers.get(what);
    if (answer !== undefined) {
      answer(request);
      return;
    }
    switch (request.code) {
      case Code.GET:
        request.respond({
          code: Code.CONTENT,
          options: [contentFormatOption(ContentFormat.LINK_FORMAT)],
          payload: text.encode(this.contents),
        });
        return;
      case Code.DELETE:
        request.respond({ code: Code.DELETED });
        return;
      case Code.PUT:
        this.#write(path, request);
        return;
      default:
        request.respond({ code: Code.CHANGED });
    }
  }

  #write(path: string, request: IncomingRequest): void {
    const format = contentFormat(request.options);
    this.formats.add(format);
    for (const record of decodeContent(format ?? 0, path, request.payload, registry)) {
      const { value } = record;
      this.values.set(record.path, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value);
    }
    request.respond({ code: Code.CHANGED });
  }
}

/** Answers with this code, and these words. */
export function declining(code: Code, words = ''): Respond {
  return (request) => request.respond({ code, payload: text.encode(words) });
}
