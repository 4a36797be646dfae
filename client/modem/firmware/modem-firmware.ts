import { isIP } from 'node:net';
import type { Clock } from '../../../protocol/clock.ts';
import type { CoapEndpoint } from '../../../protocol/coap/exchange.ts';
import { formatPeer } from '../../../protocol/coap/udp-port.ts';
import { coapDownload, type ResolveHost } from './coap-download.ts';
import { DownloadError } from './download.ts';
import { type FirmwareInstance, firmwareInstance } from './firmware-instance.ts';
import { type FirmwareActions, FirmwareUpdate } from './firmware-update.ts';
import type { FirmwareFlash } from './flash.ts';
import { httpDownload } from './http-download.ts';
import { MemoryFlash } from './memory-flash.ts';
import { parseHardwareVersion } from './package.ts';
import { type FirmwareStorage, volatileFirmware } from './record.ts';
import type { FirmwareFault } from './states.ts';

/** Where a modem's firmware is kept and comes from. */
export interface FirmwareParts {
  readonly flash?: FirmwareFlash;
  readonly storage?: FirmwareStorage;
  /** Of hosts in Package URIs; unless told, addresses are the only hosts. */
  readonly resolveHost?: ResolveHost;
  readonly fault?: FirmwareFault;
}

/** Room in the flash of a modem that is told no other, bytes. */
export const flashCapacity = 16 * 1024 * 1024;

/** The firmware update of one modem, and the object that shows it. */
export function modemFirmware(
  parts: FirmwareParts,
  modem: {
    readonly clock: Clock;
    readonly hardware: string;
    readonly endpoint: () => CoapEndpoint;
    readonly actions: Omit<FirmwareActions, 'changed' | 'deliver'>;
    /** Tells the observers of a path, at once. */
    readonly deliver: (path: string) => Promise<unknown>;
  },
): { readonly update: FirmwareUpdate; readonly object: FirmwareInstance } {
  const { clock } = modem;
  const object: FirmwareInstance = firmwareInstance(() => update);
  const http = httpDownload(clock);
  const update: FirmwareUpdate = new FirmwareUpdate({
    clock,
    flash: parts.flash ?? new MemoryFlash(clock, flashCapacity),
    storage: parts.storage ?? volatileFirmware(),
    hardware: parseHardwareVersion(modem.hardware),
    downloads: {
      'coap:': coapDownload(modem.endpoint, parts.resolveHost ?? addressOnly),
      'http:': http,
      'https:': http,
    },
    actions: {
      ...modem.actions,
      changed: (...names) => object.changed(...names),
      deliver: async () => {
        await modem.deliver(object.path);
      },
    },
    ...(parts.fault === undefined ? {} : { fault: parts.fault }),
  });
  return { update, object };
}

async function addressOnly(host: string, port: number): Promise<string> {
  if (isIP(host) === 0) throw new DownloadError('uri', `${host} is no address`);
  return formatPeer(host, port);
}
