import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import type { Config } from '../config.ts';
import type { EndpointBinding } from '../enrolment/endpoint-binding.ts';
import type { DeviceOperations } from '../lwm2m/device-operations.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { RegistrationListener } from '../lwm2m/registration-interface.ts';
import type { Stores } from '../ports/stores.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';
import type { TelemetryIngest } from '../telemetry/ingest.ts';
import { readGatewayDevices } from './device-file.ts';
import { Gateway } from './gateway.ts';
import { gatewayRequests } from './gateway-requests.ts';

/** Devices that are entered in the inventory at once. */
const ENROL_AT_ONCE = 1_000;

export interface GatewayFoundation {
  readonly config: Pick<
    Config,
    'gatewayDevices' | 'node' | 'lifetimeGrace' | 'carrierObject' | 'sensorObject'
  >;
  /** Undefined: the gateway is not open. */
  readonly port: DatagramPort | undefined;
  /** Last values are level with the log. */
  readonly stores: Stores;
  readonly ingest: Pick<TelemetryIngest, 'keep'>;
  readonly listener: RegistrationListener;
  readonly binding: Pick<EndpointBinding, 'admit'>;
  readonly onHeard: (registrationId: string, endpoint: string) => void;
  readonly registry: ObjectRegistry;
  /** One that does not step with the system's. */
  readonly steady: Clock;
  /** As of LoadSlotParts. */
  readonly isLevel: (position: LogPosition) => boolean | Promise<boolean>;
  readonly log: Logger;
  readonly onClose: (step: () => Promise<unknown>) => void;
}

/**
 * Opens the gateway, where its port is given: its devices are in the inventory from then on.
 * @throws ConfigError the file of devices is wrong; StoreUnavailableError
 */
export async function composeGateway(foundation: GatewayFoundation): Promise<Gateway | undefined> {
  const { config, port, stores, ingest, listener, binding, onHeard, registry, steady, isLevel, log } =
    foundation;
  if (port === undefined || config.gatewayDevices === undefined) return undefined;
  const { devices, sources } = readGatewayDevices(config.gatewayDevices);
  for (let at = 0; at < devices.length; at += ENROL_AT_ONCE) {
    await stores.devices.enrol(
      devices
        .slice(at, at + ENROL_AT_ONCE)
        .map(({ endpoint, tenant }) => ({ endpoint, ...(tenant === undefined ? {} : { tenant }) })),
    );
  }
  const gateway = new Gateway({
    port,
    devices,
    sources,
    registrations: stores.registrations,
    lastValues: stores.lastValues,
    log: stores.log,
    isLevel,
    ingest,
    listener,
    binding,
    onHeard,
    lookup: registry,
    node: config.node,
    grace: config.lifetimeGrace,
    carrierObject: config.carrierObject,
    sensorObject: config.sensorObject,
    clock: steady,
    logger: log,
  });
  foundation.onClose(async () => gateway.close());
  log.info({ address: gateway.local, devices: devices.length }, 'the gateway listens');
  return gateway;
}

/** Requests to devices that this node has, whichever way they are reached. */
export function requestsBeyond(
  gateway: Gateway | undefined,
  direct: DeviceOperations,
  { config, stores, registry }: Pick<GatewayFoundation, 'config' | 'stores' | 'registry'>,
): DeviceRequests {
  if (gateway === undefined) return direct;
  return gatewayRequests({
    gateway,
    direct,
    registrationOf: (endpoint) => direct.registration(endpoint),
    lastValues: stores.lastValues,
    registry,
    carrierObject: config.carrierObject,
  });
}
