import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { ContentType, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import {
  decodeHandshakeFragments,
  encodeHandshakeFragment,
  type HandshakeFragment,
} from '../../../protocol/dtls/messages/handshake-fragment.ts';
import {
  type ClientHello,
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeServerHello,
  type ServerHello,
} from '../../../protocol/dtls/messages/hello-messages.ts';
import { type DtlsRecord, plainRecord, readRecord } from '../../../protocol/dtls/records/record.ts';
import { type DtlsWorld, SERVER } from './dtls-world.ts';

/** Bytes of a server's connection ids. */
const ID = 8;

/** The records of a datagram that goes to a server, or that carries no connection id. */
export function recordsOf(datagram: Uint8Array): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  for (let at = 0; at < datagram.length; ) {
    const record = readRecord(datagram, at, ID);
    if (record === undefined) break;
    records.push(record);
    at = record.end;
  }
  return records;
}

/** The type of the handshake message in the clear with which a datagram begins. */
export function messageTypeOf(datagram: Uint8Array): number | undefined {
  return datagram[0] === ContentType.HANDSHAKE && datagram[4] === 0 ? datagram[13] : undefined;
}

/** The datagram with the first handshake message in it, in the clear, replaced. */
function edited(datagram: Uint8Array, edit: (fragment: HandshakeFragment) => HandshakeFragment): Uint8Array {
  const [record, ...others] = recordsOf(datagram) as [DtlsRecord, ...DtlsRecord[]];
  const [first, ...rest] = decodeHandshakeFragments(record.fragment) as [HandshakeFragment];
  const content = [edit(first), ...rest].map(encodeHandshakeFragment);
  const changed = plainRecord(record.type, record.sequence, Buffer.concat(content), record.version);
  return Buffer.concat([changed, datagram.subarray((others[0] && record.end) ?? datagram.length)]);
}

function withBody(fragment: HandshakeFragment, body: Uint8Array): HandshakeFragment {
  return { ...fragment, length: body.length, fragment: body };
}

/** Changes ClientHellos on their way, all of them or those that `which` names. */
export function editClientHello(world: DtlsWorld, edit: (hello: ClientHello) => ClientHello): void {
  tamper(world, (datagram) =>
    messageTypeOf(datagram) === HandshakeType.CLIENT_HELLO
      ? edited(datagram, (one) => withBody(one, encodeClientHello(edit(decodeClientHello(one.fragment)))))
      : undefined,
  );
}

export function editServerHello(world: DtlsWorld, edit: (hello: ServerHello) => ServerHello): void {
  tamper(world, (datagram) =>
    messageTypeOf(datagram) === HandshakeType.SERVER_HELLO
      ? edited(datagram, (one) => withBody(one, encodeServerHello(edit(decodeServerHello(one.fragment)))))
      : undefined,
  );
}

/** Whoever sits on the path: what `change` gives goes on in place of a datagram; undefined lets it pass. */
export function tamper(
  world: DtlsWorld,
  change: (datagram: Uint8Array, from: PeerAddress) => Uint8Array | undefined,
): void {
  let own = false;
  world.link.filter = (datagram, from, to) => {
    if (own) return false;
    const changed = change(datagram, from);
    if (changed === undefined) return false;
    own = true;
    world.link.carry(changed, from, to);
    own = false;
    return true;
  };
}

/** What went to the server so far, copies. The link has to be recording. */
export function sentToServer(world: DtlsWorld): Uint8Array[] {
  return world.link.log.filter(({ to }) => to === SERVER).map(({ data }) => Uint8Array.from(data));
}

/** What the server has sent there, copies. */
export function sentTo(world: DtlsWorld, address: PeerAddress): Uint8Array[] {
  return world.link.log.filter(({ to }) => to === address).map(({ data }) => Uint8Array.from(data));
}
