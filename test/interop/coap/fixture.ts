import { createSocket } from 'node:dgram';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint, IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { uriPath } from '../../../protocol/coap/options.ts';
import { createUdpPort, parsePeer } from '../../../protocol/coap/udp-port.ts';

/** 100 KB in lines that tell their place: whoever mixes blocks up is found out. */
export const BIG = new TextEncoder().encode(
  Array.from({ length: 100 * 64 }, (_, i) => `line ${String(i).padStart(10, '0')}\n`).join(''),
);

const ROUNDS = 3;

/** Our endpoint with the resources that the suites use. */
export interface Fixture {
  readonly endpoint: CoapEndpoint;
  readonly port: number;
  /** `coap://127.0.0.1:port` */
  readonly uri: string;
  /** Bodies that were PUT or POSTed, in order. */
  readonly stored: Uint8Array[];
  /** How often each path's handler ran, by `code path`. */
  readonly runs: Map<string, number>;
  /** Deliveries of the notifications of /count, in order. */
  readonly delivered: boolean[];
  /** Why observations of /count ended. */
  readonly ends: string[];
}

/**
 * Opens an endpoint on a free port of the loopback. `/big` is read block-wise, `/store` keeps what is
 * PUT, `/late` answers separately, `/count` tells an observer of three changes, one after the other.
 */
export async function openFixture(): Promise<Fixture> {
  const stored: Uint8Array[] = [];
  const runs = new Map<string, number>();
  const delivered: boolean[] = [];
  const ends: string[] = [];
  const text = (value: string) => new TextEncoder().encode(value);
  const count = (request: IncomingRequest) => {
    if (request.observe !== 0) {
      request.respond({ code: Code.CONTENT, payload: text('count 0') });
      return;
    }
    const observer = request.acceptObserve((reason) => ends.push(reason));
    request.respond({ code: Code.CONTENT, payload: text('count 0') });
    const next = (round: number) => {
      if (round > ROUNDS) return;
      observer.notify({ code: Code.CONTENT, payload: text(`count ${round}`) }, { keep: true }, (done) => {
        delivered.push(done);
        if (done) next(round + 1);
      });
    };
    next(1);
  };
  const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
  const endpoint = createCoapEndpoint({
    port,
    handler: (request) => {
      const path = uriPath(request.options).join('/');
      const key = `${request.code} ${path}`;
      runs.set(key, (runs.get(key) ?? 0) + 1);
      if (path === 'big') request.respond({ code: Code.CONTENT, payload: BIG });
      else if (path === 'count') count(request);
      else if (path === 'late') {
        setTimeout(() => request.respond({ code: Code.CONTENT, payload: text('separate') }), 1_200);
      } else if (path === 'store' && request.code !== Code.GET) {
        stored.push(request.payload);
        request.respond({ code: Code.CHANGED });
      } else request.respond({ code: Code.NOT_FOUND, payload: text('nothing here') });
    },
  });
  const number = parsePeer(endpoint.local).port;
  return { endpoint, port: number, uri: `coap://127.0.0.1:${number}`, stored, runs, delivered, ends };
}

/** A UDP port that is free now, for a peer that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
