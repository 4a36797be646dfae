import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { LiveStream } from '../events.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { ListeningTimes } from '../lwm2m/listening-times.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { LeshanFeed } from './feed.ts';

/** What the Leshan-compatible interface needs from the rest of the server. */
export interface LeshanDependencies {
  readonly log: Logger;
  readonly stores: Pick<Stores, 'devices' | 'registrations' | 'observations'>;
  readonly requests: DeviceRequests;
  readonly listening: Pick<ListeningTimes, 'state'>;
  /** The definitions in the versions that a device registered. */
  readonly lookupFor: (registration: Registration) => ObjectRegistry;
  readonly feed: LeshanFeed;
  readonly live: LiveStream;
  /** `host:port` of CoAP. */
  readonly coapAddress: string | undefined;
  readonly coapsAddress: string | undefined;
  readonly clock: Clock;
  /** As ApiDependencies has it. */
  readonly allowedHosts: (host: string) => boolean;
  /** Asked of every request, where there is one. */
  readonly token?: string | undefined;
}

/** What the routes get. */
export interface LeshanRouteOptions extends LeshanDependencies {
  /** Aborts when the server cannot wait for devices any longer. */
  readonly closing: AbortSignal;
}
