import { Encoder } from 'cbor-x';
import type { ReplayState, SessionState } from '../../protocol/dtls/types.ts';
import { DecodeError } from '../../protocol/errors.ts';

const WINDOW_LENGTH = 16;

/** What does not change hands by numbers of the store: keys, parameters, where the peer is. */
export type StoredState = Omit<SessionState, 'id' | 'fence' | 'nextSequence' | 'reservedTo' | 'window'>;

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

/** As it is sealed: a CBOR map, whose members that a reader does not know are passed over. */
export function encodeSessionState(state: StoredState): Uint8Array {
  const { peer, address, suite, keys, returnRoutability, establishedAt } = state;
  return codec.encode({
    ...{ peer, address, suite, client: keys.client, server: keys.server, returnRoutability, establishedAt },
    ...(state.peerConnectionId === undefined ? {} : { peerConnectionId: state.peerConnectionId }),
    ...(state.maxPlaintext === undefined ? {} : { maxPlaintext: state.maxPlaintext }),
  });
}

/** @throws DecodeError it is none */
export function decodeSessionState(bytes: Uint8Array): StoredState {
  const map = decoded(bytes);
  const { peer, address, suite, client, server, returnRoutability, establishedAt } = map;
  if (
    typeof peer !== 'object' ||
    peer === null ||
    typeof address !== 'string' ||
    typeof suite !== 'number' ||
    !(client instanceof Uint8Array) ||
    !(server instanceof Uint8Array) ||
    typeof establishedAt !== 'number'
  ) {
    throw new DecodeError('no state of a DTLS session');
  }
  const { peerConnectionId, maxPlaintext } = map;
  return {
    ...{ peer: peer as StoredState['peer'], address, suite },
    // Copies: whoever is done with the keys wipes them.
    keys: { client: new Uint8Array(client), server: new Uint8Array(server) },
    ...{ returnRoutability: returnRoutability === true, establishedAt },
    ...(peerConnectionId instanceof Uint8Array ? { peerConnectionId: new Uint8Array(peerConnectionId) } : {}),
    ...(typeof maxPlaintext === 'number' ? { maxPlaintext } : {}),
  };
}

function decoded(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch (error) {
    throw new DecodeError('no state of a DTLS session', { cause: error });
  }
  if (typeof value !== 'object' || value === null) throw new DecodeError('no state of a DTLS session');
  return value as Readonly<Record<string, unknown>>;
}

/** The highest sequence number (8 bytes), and which were seen before it (8 bytes). */
export function encodeWindow({ highest, seen }: ReplayState): Uint8Array {
  const bytes = Buffer.alloc(WINDOW_LENGTH);
  bytes.writeBigInt64BE(BigInt(highest), 0);
  bytes.set(seen, 8);
  return bytes;
}

/** @throws DecodeError it is none */
export function decodeWindow(bytes: Uint8Array): ReplayState {
  if (bytes.length !== WINDOW_LENGTH) throw new DecodeError(`a receive window of ${bytes.length} bytes`);
  const buffer = Buffer.from(bytes);
  return { highest: Number(buffer.readBigInt64BE(0)), seen: new Uint8Array(buffer.subarray(8)) };
}
