import { type CoapEndpointOptions, createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../../protocol/coap/exchange.ts';
import { FakeClock } from './fake-clock.ts';
import { type LinkQuality, LossyLink, seededBytes } from './lossy-link.ts';
import { RawPeer } from './raw-peer.ts';

/** Time, a network and endpoints on it: what a test of the endpoint begins with. */
export class World {
  readonly clock = new FakeClock();
  readonly link: LossyLink;
  readonly faults: unknown[] = [];
  #seed = 100;

  constructor(quality: LinkQuality = {}) {
    this.link = new LossyLink(this.clock, quality);
  }

  endpoint(
    address: string,
    options: Partial<Omit<CoapEndpointOptions, 'port' | 'clock'>> = {},
  ): CoapEndpoint {
    return createCoapEndpoint({
      random: seededBytes(this.#seed++),
      onFault: (error) => this.faults.push(error),
      ...options,
      port: this.link.port(address),
      clock: this.clock,
    });
  }

  raw(address: string, to: string): RawPeer {
    return new RawPeer(this.link.port(address), to);
  }

  /** Lets time pass until a promise is settled; what it gave, or threw. */
  async settle<T>(promise: Promise<T>, milliseconds = 10_000_000): Promise<T> {
    let settled = false;
    promise.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    if (!(await this.clock.run(milliseconds, () => settled))) throw new Error('still waiting');
    return promise;
  }
}
