const LINKTYPE_RAW = 101;

/** Which way a datagram goes: from the device to the server's port 5683, or back. */
export type Direction = 'up' | 'down';

/** A capture file of UDP datagrams on 127.0.0.1, each a millisecond after the other; all `up` where it is not told. */
export function pcapOf(datagrams: readonly Uint8Array[], directions: readonly Direction[] = []): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(LINKTYPE_RAW, 20);
  return Buffer.concat([
    head,
    ...datagrams.flatMap((datagram, index) => packet(datagram, index, directions[index] ?? 'up')),
  ]);
}

function packet(datagram: Uint8Array, index: number, direction: Direction): Buffer[] {
  const length = 28 + datagram.length;
  const record = Buffer.alloc(16);
  record.writeUInt32LE(1_700_000_000 + Math.floor(index / 1000), 0);
  record.writeUInt32LE((index % 1000) * 1000, 4);
  record.writeUInt32LE(length, 8);
  record.writeUInt32LE(length, 12);
  const headers = Buffer.alloc(28);
  headers.writeUInt8(0x45, 0);
  headers.writeUInt16BE(length, 2);
  headers.writeUInt8(64, 8);
  headers.writeUInt8(17, 9);
  headers.writeUInt32BE(0x7f000001, 12);
  headers.writeUInt32BE(0x7f000001, 16);
  const [from, to] = direction === 'up' ? [40_000, 5683] : [5683, 40_000];
  headers.writeUInt16BE(from, 20);
  headers.writeUInt16BE(to, 22);
  headers.writeUInt16BE(8 + datagram.length, 24);
  return [record, headers, Buffer.from(datagram)];
}
