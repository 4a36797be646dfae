/**
 * A process of real clients for bench/storm.ts, steered over IPC: each with its socket, the CoAP endpoint and the
 * registration of client/, and nothing else that would cost time.
 */

import { Registration } from '../../client/lwm2m/registration.ts';
import { newAccount } from '../../client/lwm2m/server-account.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { answering } from '../answering.ts';

export type StormCommand =
  | {
      readonly kind: 'open';
      readonly first: number;
      readonly count: number;
      readonly port: number;
      /** Seconds. */
      readonly updateInterval: number;
    }
  /** They register: at once, or `rate` a second. */
  | { readonly kind: 'start'; readonly rate?: number }
  /** Times from now on count as being back. */
  | { readonly kind: 'mark' }
  | { readonly kind: 'ask' };

export interface StormReport {
  readonly registered: number;
  /** ms since the mark at which each was back first. */
  readonly back: readonly number[];
}

const registrations: Registration[] = [];
let backAt: number[] = [];
let isBack = new Uint8Array(0);
let mark = Number.POSITIVE_INFINITY;

async function open(command: StormCommand & { readonly kind: 'open' }): Promise<void> {
  const { first, count, port, updateInterval } = command;
  isBack = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const endpoint = createCoapEndpoint({
      port: await createUdpPort({ host: '127.0.0.1', port: 0, receiveBufferSize: 16_384 }),
    });
    registrations.push(
      new Registration({
        endpoint,
        clock: systemClock,
        name: `storm-${first + index}`,
        resolveServer: async () => `127.0.0.1:${port}`,
        version: '1.1',
        account: newAccount({ lifetime: 3_600 }),
        links: () => [{ target: '/1/0', attributes: {} }],
        updateInterval,
        random: Math.random,
        onRegister: () => {},
        onState: (state) => {
          if (state !== 'registered' || isBack[index] === 1) return;
          const now = performance.timeOrigin + performance.now();
          if (now < mark) return;
          isBack[index] = 1;
          backAt.push(now - mark);
        },
      }),
    );
  }
}

async function start(rate: number | undefined): Promise<void> {
  const began = performance.now();
  for (const [index, registration] of registrations.entries()) {
    registration.start();
    if (rate === undefined) continue;
    const ahead = (index * 1_000) / rate - (performance.now() - began);
    if (ahead > 5) await new Promise((resolve) => setTimeout(resolve, ahead));
  }
}

async function perform(command: StormCommand): Promise<StormReport | string> {
  switch (command.kind) {
    case 'open':
      await open(command);
      return 'open';
    case 'start':
      await start(command.rate);
      return 'started';
    case 'mark':
      mark = performance.timeOrigin + performance.now();
      backAt = [];
      isBack.fill(0);
      return 'marked';
    case 'ask':
      return {
        registered: registrations.filter(({ location }) => location !== undefined).length,
        back: backAt,
      };
  }
}

answering(perform);
