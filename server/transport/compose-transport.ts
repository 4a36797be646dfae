import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import type { Seat } from '../cluster/seat.ts';
import type { Config } from '../config.ts';
import type { Stores } from '../ports/stores.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { openTransport, type Transport, type TransportOptions } from './open-transport.ts';
import { SessionEnds } from './session-ends.ts';

export interface TransportParts {
  readonly config: Pick<Config, 'node' | 'dtlsSessionsMaxAge'>;
  readonly sockets: { readonly coap: DatagramPort | undefined; readonly coaps: DatagramPort | undefined };
  readonly stores: Pick<Stores, 'sessions'>;
  readonly sealer: Sealer;
  readonly seat: Pick<Seat, 'others' | 'slot'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ends: SessionEnds;
}

/** Ends sessions of credentials that are good no more, at all nodes. */
export function composeSessionEnds({
  stores,
  seat,
}: {
  readonly stores: Pick<Stores, 'sessions'>;
  readonly seat: Pick<Seat, 'others'>;
}): SessionEnds {
  return new SessionEnds({ store: stores.sessions, rpc: seat.others?.rpc });
}

/** The port of LwM2M servers: UDP, and DTLS whose sessions outlive this process and are shared with other nodes. */
export function composeTransport(
  { config, sockets, stores, sealer, seat, clock, log, ends }: TransportParts,
  security: Pick<TransportOptions, 'credentials' | 'admit' | 'events'>,
): Transport {
  return openTransport({
    ...security,
    ...sockets,
    account: 'server',
    clock,
    log,
    slot: seat.slot,
    ends,
    kept: {
      store: stores.sessions,
      sealer,
      node: config.node,
      keepFor: config.dtlsSessionsMaxAge,
      others: seat.others,
    },
  });
}

/** The port of bootstrap servers: its sessions end with the process. Undefined: neither socket is open. */
export function composeBootstrapTransport(
  { sockets, clock, log, ends }: Pick<TransportParts, 'sockets' | 'clock' | 'log' | 'ends'>,
  security: Pick<TransportOptions, 'credentials' | 'admit' | 'events'>,
): Transport | undefined {
  if (sockets.coap === undefined && sockets.coaps === undefined) return undefined;
  return openTransport({ ...security, ...sockets, account: 'bootstrap', clock, log, ends });
}
