import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { tapPort } from '../../protocol/coap/tapped-port.ts';
import type { SharedTraces, SharedTracesOptions } from '../cluster/shared-traces.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { ServerPort } from '../transport/join-ports.ts';
import { DeviceTraces, type LiveTrace } from './device-traces.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { PayloadContext } from './payload.ts';

export interface TraceParts {
  readonly config: { readonly traceBytes: number };
  readonly port: ServerPort;
  readonly clock: Clock;
  readonly stores: Stores;
  readonly log: Logger;
  readonly startedAt: number;
  readonly onClose: (step: () => Promise<unknown>) => void;
  readonly hub: LiveHub;
  /** What the device's payloads are read by. */
  readonly contextOf: (registration: Registration | undefined) => PayloadContext;
  /** Messages as the event stream shows them. */
  readonly present: (endpoint: string, trace: LiveTrace, context: PayloadContext) => object;
  /** Where devices may be at other nodes, whose messages are looked at by way of this one. */
  readonly share?: (parts: Pick<SharedTracesOptions, 'watch' | 'publish'>) => SharedTraces;
}

/** The port with the recorder at it; without one where the setting is 0. */
export function composeTrace(parts: TraceParts): {
  readonly port: DatagramPort;
  readonly traces: DeviceTraces | undefined;
} {
  const { config, port, clock, stores, log, startedAt, hub, contextOf, present } = parts;
  if (config.traceBytes === 0) return { port, traces: undefined };
  const publish = (endpoint: string, message: object): void => hub.publishTrace(endpoint, message);
  const traces: DeviceTraces = new DeviceTraces({
    // No id comes twice, also not after a restart: no server has a hundred messages in each millisecond.
    recorder: new FlightRecorder(config.traceBytes, startedAt * 100),
    clock,
    stores,
    transportAddress: (peer) => port.transportAddress(peer),
    onLive: (endpoint, trace) => {
      const message = present(endpoint, trace, contextOf(trace.registration));
      if (shared === undefined) publish(endpoint, message);
      else shared.live(endpoint, message);
    },
    onError: (error) => log.warn({ error }, 'the messages of a device could not be looked up'),
  });
  const watch = (endpoint: string, wanted: boolean): boolean => traces.watch(endpoint, wanted);
  const shared = parts.share?.({ watch, publish });
  hub.onTraceWanted((endpoint, wanted) => {
    if (shared !== undefined) shared.wanted(endpoint, wanted);
    else if (!watch(endpoint, wanted)) publish(endpoint, { endpoint, messages: [], refused: true });
  });
  parts.onClose(async () => shared?.close());
  parts.onClose(async () => traces.close());
  return { port: tapPort(port, traces.tap), traces };
}
