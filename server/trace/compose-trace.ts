import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { tapPort } from '../../protocol/coap/tapped-port.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { DeviceTraces, type LiveTrace } from './device-traces.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { PayloadContext } from './payload.ts';

export interface TraceParts {
  readonly config: { readonly traceBytes: number };
  readonly port: DatagramPort;
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
}

/** The port with the recorder at it; without one where the setting is 0. */
export function composeTrace(parts: TraceParts): {
  readonly port: DatagramPort;
  readonly traces: DeviceTraces | undefined;
} {
  const { config, port, clock, stores, log, startedAt, hub, contextOf, present } = parts;
  if (config.traceBytes === 0) return { port, traces: undefined };
  const traces = new DeviceTraces({
    // No id comes twice, also not after a restart: no server has a hundred messages in each millisecond.
    recorder: new FlightRecorder(config.traceBytes, startedAt * 100),
    clock,
    stores,
    onLive: (endpoint, trace) => {
      hub.publishTrace(endpoint, present(endpoint, trace, contextOf(trace.registration)));
    },
    onError: (error) => log.warn({ error }, 'the messages of a device could not be looked up'),
  });
  hub.onTraceWanted((endpoint, wanted) => {
    if (!traces.watch(endpoint, wanted))
      hub.publishTrace(endpoint, { endpoint, messages: [], refused: true });
  });
  parts.onClose(async () => traces.close());
  return { port: tapPort(port, traces.tap), traces };
}
