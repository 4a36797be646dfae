import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { createDtlsServerPort } from '../../protocol/dtls/server-port.ts';
import type {
  DtlsLimits,
  DtlsServerEvents,
  DtlsServerPort,
  ForeignRecords,
  ServerCredentials,
} from '../../protocol/dtls/types.ts';
import type { SessionHolder, SessionStore } from '../ports/session-store.ts';
import { warnRepeated } from '../repeated-log.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { type RecordCalls, RecordForwarder, type RecordMembers, withoutWay } from './foreign-records.ts';
import { HandOvers } from './hand-overs.ts';
import { joinPorts, type SecuredPort, type ServerPort } from './join-ports.ts';
import { sessionAddressOf, sessionIdOf } from './session-address.ts';
import { countSessions, type SessionCounts } from './session-counts.ts';
import type { SessionEnds } from './session-ends.ts';
import { StoredSessions } from './session-keeper.ts';
import { SessionPlaces } from './session-places.ts';
import { WaitingSends } from './waiting-sends.ts';

/** How often sessions whose time is over are removed where the store does not by itself, ms. */
const TRIM_EVERY = 3_600_000;
const TRIM_AT_ONCE = 1_000;

/** Sessions that outlive this process. */
export interface KeptSessions {
  readonly store: SessionStore;
  readonly sealer: Sealer;
  /** Name of this node. */
  readonly node: string;
  /** How long a session is kept of which nothing is heard, ms. */
  readonly keepFor: number;
  /** Where there are other nodes. */
  readonly others?: { readonly rpc: RecordCalls; readonly members: RecordMembers } | undefined;
}

export interface TransportOptions {
  /** Sockets, or what a test has in their place; closed with the port. Undefined: not open. */
  readonly coap: DatagramPort | undefined;
  readonly coaps: DatagramPort | undefined;
  readonly account: SessionHolder['account'];
  readonly credentials: ServerCredentials;
  readonly clock: Clock;
  readonly log: Logger;
  /** This node's number: ids of sessions begin with it. */
  readonly slot?: number;
  readonly limits?: Partial<DtlsLimits>;
  readonly admit?: (address: PeerAddress) => boolean;
  readonly events?: Omit<DtlsServerEvents, 'onError'>;
  /** Undefined: they end with the process. */
  readonly kept?: KeptSessions | undefined;
  /** Who ends sessions of credentials that are good no more. */
  readonly ends?: SessionEnds | undefined;
}

/** UDP and DTLS as one port of a CoAP endpoint. */
export interface Transport {
  /** Closing it suspends the sessions that are kept, and closes both sockets. */
  readonly port: ServerPort;
  /** Undefined: DTLS is not open. */
  readonly secured: { readonly dtls: DtlsServerPort; readonly counts: SessionCounts } | undefined;
}

/** Opens DTLS on its socket, and joins it with UDP. */
export function openTransport(options: TransportOptions): Transport {
  const { coap, coaps } = options;
  if (coaps === undefined) return { port: joinPorts(coap, undefined), secured: undefined };
  const { counts, events } = countSessions(options.events);
  const { dtls, secured } = openDtls({ ...options, events }, coaps);
  options.ends?.attach(options.account, dtls);
  return { port: joinPorts(coap, secured), secured: { dtls, counts } };
}

function openDtls(
  options: TransportOptions,
  socket: DatagramPort,
): { readonly dtls: DtlsServerPort; readonly secured: SecuredPort } {
  const { credentials, clock, log, slot, limits, admit, events, kept, account } = options;
  const warn = warnRepeated(log, clock, 'a DTLS session could not be looked after');
  const onError = (error: unknown): void => warn(error instanceof Error ? error : new Error(String(error)));
  const others = kept?.others;
  const places = kept === undefined ? undefined : new SessionPlaces({ store: kept.store, clock });
  const forwarder =
    kept === undefined || others === undefined || places === undefined
      ? undefined
      : new RecordForwarder({
          ...others,
          node: kept.node,
          places,
          clock,
          onUnreachable: (error, node) => log.debug({ error, node }, 'a record could not be passed on'),
        });
  const sessions =
    kept === undefined || places === undefined
      ? undefined
      : new StoredSessions({ ...kept, account, clock, places });
  const dtls = createDtlsServerPort({
    port: forwarder === undefined ? socket : answeringBack(socket, forwarder),
    clock,
    credentials,
    ...(slot === undefined ? {} : { slot }),
    ...(limits === undefined ? {} : { limits }),
    ...(admit === undefined ? {} : { admit }),
    ...(sessions === undefined ? {} : { keeper: sessions }),
    ...(places === undefined ? {} : { foreign: forwarder ?? noForwarder(places) }),
    events: { ...events, onError },
  });
  if (sessions === undefined || kept === undefined) return { dtls, secured: shown(dtls) };

  const waiting = new WaitingSends({
    prepare: async (peer) => {
      if (await forwarder?.isElsewhere(sessionIdOf(peer))) return 'elsewhere';
      return (await dtls.load(peer)) ? 'here' : 'nowhere';
    },
    here: (data, peer) => dtls.send(data, peer),
    elsewhere: (data, peer) => forwarder?.send(data, sessionIdOf(peer)),
    onError,
  });
  const send = (data: Uint8Array, peer: PeerAddress): void => {
    if (dtls.transportAddress(peer) === undefined) waiting.send(data, peer);
    else dtls.send(data, peer);
  };
  const handOvers = new HandOvers({
    clock,
    release: async (id) => {
      const state = await dtls.release(sessionAddressOf(id));
      if (state !== undefined) await sessions.save([state]);
    },
    tell: (node, id) => forwarder?.tellGone(node, id),
    onError,
  });
  forwarder?.attach({ dtls, handOvers, socket, send: (data, peer) => dtls.send(data, peer) });
  const trimming = trimRegularly(sessions, kept, clock, onError);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    trimming.cancel();
    forwarder?.leave();
    handOvers.close();
    try {
      const states = await dtls.suspend();
      const saved = await sessions.save(states);
      log.info({ saved, lost: states.length - saved }, 'DTLS sessions are saved');
    } catch (error) {
      log.warn({ error }, 'DTLS sessions could not be saved: their devices will shake hands anew');
    }
    await dtls.close();
  };
  return {
    dtls,
    secured: {
      ...shown(dtls),
      send,
      onDatagram: (handler) =>
        dtls.onDatagram((data, peer, identity) => {
          sessions
            .heard(peer)
            // It was ended, or taken over, and this node was not told: it is forgotten without a word.
            ?.then((kept) => (kept ? undefined : dtls.release(peer)))
            .catch(onError);
          handler(data, peer, identity);
        }),
      close: () => {
        closing ??= close();
        return closing;
      },
    },
  };
}

/** Where there are no other nodes, ids that peers make up still cost no more looks than the store bears. */
function noForwarder(places: SessionPlaces): ForeignRecords {
  return {
    forward: async (id) => {
      await places.lookOnce(Buffer.from(id).toString('hex'));
      return false;
    },
  };
}

/** The port, with addresses as people know them. */
function shown(dtls: DtlsServerPort): SecuredPort {
  return {
    local: dtls.local,
    send: (data, peer) => dtls.send(data, peer),
    onDatagram: (handler) => dtls.onDatagram(handler),
    onError: (handler) => dtls.onError(handler),
    transportAddress: (peer) => {
      const address = dtls.transportAddress(peer);
      return address === undefined ? undefined : withoutWay(address);
    },
    close: () => dtls.close(),
  };
}

/** The socket, by which answers also go to peers whose records came by way of another node. */
function answeringBack(socket: DatagramPort, forwarder: RecordForwarder): DatagramPort {
  return {
    local: socket.local,
    send: (data, peer) => {
      if (!forwarder.sendBack(data, peer)) socket.send(data, peer);
    },
    onDatagram: (handler) => socket.onDatagram(handler),
    onError: (handler) => socket.onError(handler),
    close: () => socket.close(),
  };
}

function trimRegularly(
  sessions: StoredSessions,
  { store }: KeptSessions,
  clock: Clock,
  onError: (error: unknown) => void,
): { cancel(): void } {
  let timer: Timer | undefined;
  let ended = false;
  const trim = async (): Promise<void> => {
    sessions.forgetOld();
    while (!ended && (await store.trim(clock.wallTime(), TRIM_AT_ONCE)) === TRIM_AT_ONCE);
  };
  const next = (): void => {
    timer = clock.setTimer(TRIM_EVERY, () => {
      trim()
        .catch(onError)
        .finally(() => {
          if (!ended) next();
        });
    });
  };
  next();
  return {
    cancel: () => {
      ended = true;
      timer?.cancel();
    },
  };
}
