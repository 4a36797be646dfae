import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { CommandService } from '../commands/carrier-commands.ts';
import type { LiveStream } from '../events.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { Stores } from '../ports/stores.ts';

/** What the API needs from the rest of the server; main.ts hands it over. */
export interface ApiDependencies {
  readonly log: Logger;
  readonly stores: Stores;
  readonly requests: DeviceRequests;
  readonly commands: CommandService;
  readonly live: LiveStream;
  readonly registry: ObjectRegistry;
  /** Prometheus text of the server's own metrics. */
  readonly metrics: () => Promise<string>;
  /** Rejects, with a reason that a person understands, while the server is not ready. */
  readonly ready: () => Promise<void>;
  /** What `GET /api/server` tells. */
  readonly about: {
    readonly version: string;
    readonly node: string;
    readonly startedAt: number;
    readonly coapAddress: string;
    readonly store: string;
    /** Printed by the console's empty state: the address that a device should use. */
    readonly coapUri: string;
  };
  /** Hosts that a request's Host and Origin may name; anything else is refused with 403. */
  readonly allowedHosts: (host: string) => boolean;
  /** Folder of the built console; undefined where it is not built (tests). */
  readonly consoleRoot: string | undefined;
}
