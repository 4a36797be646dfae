import type { ObjectRegistry } from '../../objects/registry.ts';
import { UnknownDeviceError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { HISTORY_MESSAGES } from '../trace/device-history.ts';
import type { DeviceTrace, DeviceTraces } from '../trace/device-traces.ts';
import { encodePcapng } from '../trace/pcapng.ts';
import { presentTrace } from './trace-presenters.ts';
import { traceText } from './trace-text.ts';

/** What a node has recorded of a device, in the forms in which it is asked for. Plain data: it may go from node to node. */
export interface TraceContents {
  json(
    endpoint: string,
    query: { readonly after?: number; readonly limit: number },
  ): Promise<ReturnType<typeof presentTrace>>;
  /** A capture file for Wireshark. */
  pcapng(endpoint: string): Promise<Uint8Array>;
  text(endpoint: string): Promise<string>;
}

export interface TraceSources {
  readonly stores: Pick<Stores, 'devices'>;
  readonly traces: Pick<DeviceTraces, 'read'>;
  readonly registry: ObjectRegistry;
  readonly lookupFor: ((registration: Registration) => ObjectRegistry) | undefined;
  readonly about: { readonly coapAddress: string; readonly version: string };
}

/** All reject with UnknownDeviceError and StoreUnavailableError. */
export function traceContents({ stores, traces, registry, lookupFor, about }: TraceSources): TraceContents {
  const read: DeviceTraces['read'] = async (endpoint, query) => {
    const trace = await traces.read(endpoint, query);
    // One that tries to register in vain has messages, and is no device yet.
    if (trace.messages.length === 0 && (await stores.devices.get(endpoint)) === undefined) {
      throw new UnknownDeviceError(endpoint);
    }
    return trace;
  };
  const present = (trace: DeviceTrace): ReturnType<typeof presentTrace> => {
    const { registration } = trace;
    return presentTrace(trace, {
      registry: registration === undefined ? registry : (lookupFor?.(registration) ?? registry),
      rootPath: registration?.rootPath ?? '/',
    });
  };
  return {
    json: async (endpoint, query) => present(await read(endpoint, query)),
    pcapng: async (endpoint) => {
      const { messages, epoch } = await read(endpoint, { limit: HISTORY_MESSAGES });
      const captured = messages.map((message) => message.captured);
      return encodePcapng(captured, about.coapAddress, epoch, `Simyard ${about.version}`);
    },
    text: async (endpoint) => {
      const { since, items } = present(await read(endpoint, { limit: HISTORY_MESSAGES }));
      return traceText(endpoint, since, items);
    },
  };
}
