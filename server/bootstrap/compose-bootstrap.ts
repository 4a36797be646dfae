import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import type { Config } from '../config.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { ServerPort } from '../transport/join-ports.ts';
import { BootstrapInterface, type BootstrapInterfaceOptions } from './bootstrap-interface.ts';
import { BootstrapService } from './bootstrap-service.ts';
import { defaultProfile } from './default-profile.ts';
import { DeviceAccounts, type DeviceKeys } from './device-accounts.ts';

/** How long a bootstrap may take, ms: a device that sleeps or breaks off leaves nothing behind for longer. */
const longest = 300_000;

export interface BootstrapParts {
  readonly config: Pick<Config, 'node' | 'shortServerId'>;
  /** Undefined: this node has no bootstrap server, and tells of those of others. */
  readonly port: ServerPort | undefined;
  readonly stores: Pick<Stores, 'bootstrap' | 'devices'>;
  readonly keys: DeviceKeys;
  /** Where devices find this server; undefined where it does not listen. */
  readonly addresses: { readonly coap: string | undefined; readonly coaps: string | undefined };
  readonly registry: ObjectRegistry;
  readonly onRefused: BootstrapInterfaceOptions['onRefused'];
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Bootstrap {
  readonly service: BootstrapService;
  /** Undefined where this node has no bootstrap server. */
  readonly endpoint: CoapEndpoint | undefined;
  /** Bootstraps under way at this node. */
  readonly underWay: () => number;
  /** A device has registered: keys that it had before may have served their time. */
  registered(registration: Pick<Registration, 'endpoint' | 'identity'>): void;
  close(): Promise<void>;
}

/** The bootstrap server: its own CoAP endpoint beside that of the device interface (OMA-TS-LightweightM2M_Core §6.1). */
export function composeBootstrap(parts: BootstrapParts): Bootstrap {
  const { config, port, stores, keys, addresses, registry, events, clock, log } = parts;
  const service = new BootstrapService({
    store: stores.bootstrap,
    devices: stores.devices,
    builtIn: defaultProfile(config.shortServerId, addresses.coaps !== undefined),
    registry,
    events,
    clock,
    longest,
  });
  const accounts = new DeviceAccounts({ keys, addresses });
  const registered: Bootstrap['registered'] = ({ endpoint, identity }) => {
    if (identity === undefined) return;
    accounts.used(endpoint, identity).catch((error: unknown) => {
      // They stay in force until the device registers again, or a person revokes them.
      log.warn({ error, endpoint }, 'keys that a device has replaced could not be revoked');
    });
  };
  if (port === undefined) {
    return { service, endpoint: undefined, underWay: () => 0, registered, close: async () => {} };
  }
  const bootstrap = new BootstrapInterface({
    service,
    store: stores.bootstrap,
    accounts,
    registry,
    events,
    clock,
    log,
    node: config.node,
    onRefused: parts.onRefused,
    transportAddress: (peer) => port.transportAddress(peer),
    longest,
  });
  const endpoint = createCoapEndpoint({
    port,
    clock,
    handler: bootstrap.handle,
    onFault: (error) => log.error({ error }, 'a CoAP handler met a bug'),
    onTransportError: (error, peer) => log.debug({ error, peer }, 'a datagram could not be delivered'),
  });
  bootstrap.attach(endpoint);
  return {
    service,
    endpoint,
    underWay: () => bootstrap.underWay,
    registered,
    close: async () => {
      await bootstrap.close();
      await endpoint.close();
    },
  };
}
