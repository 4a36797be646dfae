import { afterEach, beforeEach } from 'vitest';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { bucketDigits, bucketOf } from '../../server/ports/bucket.ts';
import type { StoredObservation } from '../../server/ports/observation-store.ts';
import type { Registration } from '../../server/ports/registration-store.ts';
import type { Stores } from '../../server/ports/stores.ts';

/** Fresh, empty stores of one engine. */
export interface OpenedStores {
  readonly stores: Stores;
  /** Closes them, and removes what they kept. */
  close(): Promise<void>;
}

export type OpenStores = () => Promise<OpenedStores>;

/** Stores that survive their end. */
export interface PersistentStores extends OpenedStores {
  /** Closes the stores and opens them again on what they kept. */
  restart(): Promise<Stores>;
}

/** Opens stores before each test of the suite and closes them after it. */
export function useStores(open: OpenStores): () => Stores {
  let opened: OpenedStores | undefined;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });
  return () => {
    if (opened === undefined) throw new Error('the stores are not open');
    return opened.stores;
  };
}

/** When tests take place, ms since the epoch. */
export const start = 1_760_000_000_000;

const links: readonly Link[] = [
  { target: '/1/0', attributes: {} },
  { target: '/3/0', attributes: { ver: '1.2' } },
];

/** A registration id as the server makes them: it begins with the bucket of the device. */
export function anId(endpoint: string, mark = 'id'): string {
  return `${bucketDigits(bucketOf(endpoint))}-${mark}-${endpoint}`;
}

/** A token as the server makes them: the worker, the bucket of the device, and what tells it from others (hex). */
export function aToken(endpoint: string, mark = ''): string {
  return `00${bucketDigits(bucketOf(endpoint))}${mark.padStart(12, '0')}`;
}

/** A registration with a lifetime of 60 s and 5 s of grace. */
export function aRegistration(endpoint: string, change: Partial<Registration> = {}): Registration {
  return {
    id: anId(endpoint),
    endpoint,
    address: '192.0.2.1:5683',
    lifetime: 60,
    version: '1.1',
    binding: 'U',
    queueMode: false,
    rootPath: '/',
    links,
    contentFormats: [110, 112],
    additional: { vendor: 'x' },
    registeredAt: start,
    updatedAt: start,
    expiresAt: start + 65_000,
    node: 'node-1',
    ...change,
  };
}

/** As a store gives it back: with the fencing number of who owns it. */
export function owned(registration: Registration, fence = 1): Registration {
  return { ...registration, fence };
}

/** @param mark hex, up to 12 digits: tells its token from those of other observations of the device */
export function anObservation(mark: string, registration: Registration): StoredObservation {
  return {
    token: aToken(registration.endpoint, mark),
    registrationId: registration.id,
    endpoint: registration.endpoint,
    paths: ['/42770/0/2'],
    contentFormat: 112,
    origin: 'policy',
    createdAt: start,
  };
}
