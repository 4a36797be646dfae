const LINKTYPE_RAW = 101;

/** A capture file of UDP datagrams from a client on 127.0.0.1 to port 5683, each a millisecond after the other. */
export function pcapOf(datagrams: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(LINKTYPE_RAW, 20);
  return Buffer.concat([head, ...datagrams.flatMap((datagram, index) => packet(datagram, index))]);
}

function packet(datagram: Uint8Array, index: number): Buffer[] {
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
  headers.writeUInt16BE(40_000, 20);
  headers.writeUInt16BE(5683, 22);
  headers.writeUInt16BE(8 + datagram.length, 24);
  return [record, headers, Buffer.from(datagram)];
}
