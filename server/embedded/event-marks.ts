import type { EventType } from '../events.ts';

/** Bytes of the filter of one segment: 16 bits for each of 64 endpoints, so that 1 of 400 others passes. */
export const filterBytes = 128;
const filterBits = filterBytes * 8;
const probes = 4;

/** FNV-1a over the code units, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** Bits of the types. They are stored: none is ever changed, and a new type gets the next one. */
const typePlaces: Readonly<Record<EventType, number>> = {
  ...{ registered: 0, updated: 1, deregistered: 2, expired: 3, observed: 4, 'observation-ended': 5 },
  ...{ 'observation-refused': 6, 'observation-drifted': 7, 'observation-policy': 8, 'object-model': 9 },
  ...{
    command: 10,
    device: 11,
    bootstrap: 12,
    'bootstrap-profile': 13,
    job: 14,
    webhook: 15,
    credential: 16,
  },
  ...{ refused: 17, node: 18 },
};
/** Of all that this program does not know. */
const otherPlace = 30;

/** The bit of a type in the marks of a segment. */
export function typeBit(type: string): number {
  return 1 << (Object.hasOwn(typePlaces, type) ? typePlaces[type as EventType] : otherPlace);
}

/** Where an endpoint is looked for in a filter (Bloom): some bits, all of which are set where it was added. */
export class EndpointProbe {
  readonly #first: number;
  readonly #step: number;

  constructor(endpoint: string) {
    const value = hash(endpoint);
    this.#first = value & 0xffff;
    // Odd: the probes are different bits.
    this.#step = (value >>> 16) | 1;
  }

  addTo(filter: Uint8Array): void {
    for (let probe = 0; probe < probes; probe++) {
      const bit = (this.#first + probe * this.#step) % filterBits;
      filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }

  mayBeIn(filter: Uint8Array): boolean {
    for (let probe = 0; probe < probes; probe++) {
      const bit = (this.#first + probe * this.#step) % filterBits;
      if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}
